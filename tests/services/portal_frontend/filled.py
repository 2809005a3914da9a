"""Fills the portal of PORTAL_DATA for the tests of its views: `python filled.py PASSWORD`, from the kit's folder."""

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import soundfile

from services.portal.command import prepare

prepare()

from autograder.records.ledger import Ledger, LedgerEntry  # noqa: E402  (the portal's settings come first)
from autograder.records.result_store import result_path  # noqa: E402
from autograder.result import Result, Status, TaskResult  # noqa: E402
from course.measure.rehearsal import Measurement  # noqa: E402
from services.portal.board import hand_in  # noqa: E402
from services.portal.configuration import configuration  # noqa: E402
from services.portal.demo import call_with_problems  # noqa: E402
from services.portal.ingestion import ingest_in_a_loop  # noqa: E402
from services.portal.made_up import START, entry  # noqa: E402
from services.portal.models import Account  # noqa: E402

LAB = "lab10-fast-inference"
NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
HOSTILE = "</script><img src=x onerror=\"document.title='broken in'\">"


def fill(password: str, set_up) -> None:
    """Accounts, conversations, records and a class of two labs."""
    people = {
        name: Account.objects.create_user(name, password=password, is_staff=name == "iris", pseudonym=pseudonym)
        for name, pseudonym in (("iris", "plain heron 1"), ("ada", "amber teal 2"), ("ben", "vivid crane 3"))
    }
    people["mallory"] = Account.objects.create_user("mallory", pseudonym=HOSTILE)
    conversations(set_up.folder)
    measurements(people, set_up.remeasured)
    graded_class(set_up.class_dir)


def conversations(folder: Path) -> None:
    """A call with problems and a hostile one with a recording are Ada's, and another of the first name Ben's."""
    (folder / "audio").mkdir()
    soundfile.write(folder / "audio" / "hello.wav", np.zeros(800, np.float32), 8000)
    hostile = [
        said("hostile", "h1", None, HOSTILE, 0),
        said("hostile", "h2", "h1", "I heard you.", 1, role="agent", audio="hello.wav"),
        said("hostile", "h3", "h1", "Say it again.", 2, role="agent"),
    ]
    for owner, entries in (("ada", [*call_with_problems(), *hostile]), ("ben", call_with_problems())):
        log = folder / f"{owner}.jsonl"
        log.write_text("".join(json.dumps(one) + "\n" for one in entries), encoding="utf-8")
        ingest_in_a_loop([str(log)], folder / "dead", owner=owner)


def said(conversation: str, message: str, parent: str | None, text: str, second: float, **more) -> dict:
    """The log entry of a turn."""
    about = {"event": "turn", "conversation_id": conversation, "message_id": message, "parent_id": parent}
    about |= {"role": "caller", "text": text} | more
    return entry(f"{conversation}-{message}", START + timedelta(seconds=second), conversation) | {"jsonPayload": about}


def measurements(people: dict[str, Account], remeasured: Path) -> None:
    """Ada has three records; the grader measured her last and Ben's again: they tie. Mallory's is self-reported."""
    for number, seed in enumerate((1, 2, 3)):
        hand_in(people["ada"], record(seed), "The record", NOW + timedelta(days=number))
    hand_in(people["ben"], record(4), "The record", NOW)
    hand_in(people["mallory"], record(5, kind="fake"), "The record", NOW)
    remeasured.mkdir()
    (remeasured / "again.json").write_bytes(record(99))


def record(seed: int, kind: str = "cpu") -> bytes:
    """A record as if taken on a processor, or on the made-up device, which nobody measures again."""
    made = Measurement(seed).record()
    device = made.device.model_copy(update={"kind": kind})
    return made.model_copy(update={"lab": LAB, "device": device}).sealed().model_dump_json().encode()


def graded_class(folder: Path) -> None:
    """Three students and two labs: Ada has all, Ben is stuck in the first, Chloe's second ran out of time."""
    folder.mkdir()
    results = [
        graded("lab01-sound", "Sound as numbers", "ada", 2),
        graded("lab01-sound", "Sound as numbers", "ben", 0),
        graded("lab01-sound", "Sound as numbers", "chloe", 1),
        graded("lab02-spectra", "Spectra", "ada", 2),
        graded("lab02-spectra", "Spectra", "chloe", 0, Status.TIMEOUT),
    ]
    for one in results:
        path = result_path(folder, one.lab, one.student, one.key)
        path.parent.mkdir(parents=True)
        one.write(path)
        Ledger(folder / "ledger.jsonl").add(LedgerEntry.of(one, {}, None, None, 1))


def graded(lab: str, title: str, student: str, right: int, status: Status = Status.GRADED) -> Result:
    """A result with the first ``right`` of two tasks right, of 6 points each."""
    tasks = [
        TaskResult(
            id=name, title=f"Task {name}", score=6 if at < right else 0, max_score=6, hints=(f"Mind {HOSTILE}.",)
        )
        for at, name in enumerate(("frames", "energy"))
    ]
    return Result(
        key=f"key-{lab}-{student}", parts={}, lab=lab, lab_title=title, student=student, submission="0" * 64,
        status=status, sentence="It ran too long." if status is Status.TIMEOUT else "", score=6 * right, max_score=12,
        tasks=tuple(tasks), seconds=1.0, environment={},
    )  # fmt: skip


if __name__ == "__main__":
    fill(sys.argv[1], configuration())
