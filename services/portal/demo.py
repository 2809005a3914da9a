"""Something to look at: the inference service's own logs, a call with problems, records of a made-up device."""

import json
import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx

from course.errors import CourseError
from course.storage import write_atomic

INTERN, INSTRUCTOR = "ada", "iris"
LAB = "lab10-fast-inference"
OTHERS = ("ben", "chloe", "dmitri")


def fill(folder: Path) -> Iterator[str]:
    """Make accounts, conversations and records, and say what there is; again, it renews passwords and adds nothing.

    Args:
        folder: the portal's data folder, where the logs are kept.
    """
    from services.portal.command import DEAD_LETTERS, LOGS, make_account
    from services.portal.ingestion import ingest_in_a_loop

    for name, is_instructor in ((INSTRUCTOR, True), (INTERN, False)):
        yield f"{'instructor' if is_instructor else 'intern'} {name}, password {make_account(name, is_instructor)}"
    served, troubled = (folder / LOGS / f"demo-{name}.jsonl" for name in ("service", "call"))
    if not served.exists():
        write_atomic(served, owned(asked_of_the_service()))
    write_atomic(troubled, owned(call_with_problems()))
    counts = ingest_in_a_loop([str(served), str(troubled)], folder / DEAD_LETTERS)
    yield f"{counts.entries} log entries, {counts.said} of them about conversations of {INTERN}"
    yield f"{hand_in_records()} measurement records of a made-up device"


def owned(entries: list[dict]) -> str:
    """Entries as lines, labelled as the intern's: whoever ingests them, they are the same conversations."""
    return "".join(json.dumps(entry | {"labels": {"owner": INTERN}}) + "\n" for entry in entries)


def asked_of_the_service(conversations: int = 3, turns: int = 4, seed: int = 0) -> list[dict]:
    """What the inference service logs of a few dialogs with alternatives, answered by its fake engine."""
    from course.serving.process import started
    from services.portal.made_up import QUESTIONS

    chance = random.Random(seed)
    with started(engine="fake", log_texts=True) as service, httpx.Client(base_url=service.url, timeout=60) as client:
        for number in range(conversations):
            made: list[str] = []
            for turn in range(turns):
                parent = chance.choice(made) if made else None
                made += [ask(client, f"demo-{number}", parent, QUESTIONS[turn], take) for take in range(1 + turn % 2)]
        return service.entries(requests=conversations * sum(1 + turn % 2 for turn in range(turns)))


def ask(client: httpx.Client, conversation: str, parent: str | None, question: str, take: int) -> str:
    """Ask the service once; the id of its answer. Takes of the same question have different answers."""
    asked = {
        "model": "fake-chat",
        "messages": [{"role": "user", "content": question}],
        "max_tokens": 12,
        "temperature": float(take),
        "seed": take,
    }
    headers = {"X-Conversation-Id": conversation} | ({"X-Parent-Id": parent} if parent else {})
    answer = client.post("/v1/chat/completions", json=asked, headers=headers)
    if answer.status_code != 200:
        raise CourseError(f"The inference service was expected to answer, and said {answer.status_code}: {answer.text}")
    return answer.json()["id"]


def call_with_problems() -> list[dict]:
    """A call of a bank with a score that came later, and with each kind of problem that logs have."""
    from services.portal.made_up import START, entry

    said = (
        ("t1", None, "agent", "Thank you for calling. How may I help you?", 0),
        ("t2", "t1", "caller", "I lost my debit card yesterday.", 4),
        ("t3", "t2", "agent", "I have blocked it. Shall I send a new one?", 9),
        ("t3", "t2", "agent", "I have blocked it.", 10),
        ("t4", "t3", "caller", "Yes, please.", 6),
        ("t6", "t5", "agent", "Is there anything else?", 20),
        ("t7", "t8", "caller", "No, that is all.", 24),
        ("t8", "t7", "agent", "Goodbye.", 27),
    )
    made = []
    for number, (message, parent, role, text, second) in enumerate(said):
        payload = {"event": "turn", "conversation_id": "demo-call", "message_id": message, "parent_id": parent}
        payload |= {"role": role, "text": text}
        made.append(
            entry(f"demo-call-{number}", START + timedelta(seconds=second), "demo-call") | {"jsonPayload": payload}
        )
    score = {"event": "score", "conversation_id": "demo-call", "message_id": "t3", "scores": {"politeness": 0.9}}
    made.append(entry("demo-call-score", START + timedelta(seconds=60), "demo-call") | {"jsonPayload": score})
    return made


def hand_in_records() -> int:
    """Records of the made-up device, by accounts nobody can log in to, as long as there are none of them."""
    from course.measure.rehearsal import Measurement
    from services.portal.board import hand_in
    from services.portal.models import Account, MeasurementRecord

    for seed, name in enumerate((INTERN, *OTHERS)):
        owner, is_new = Account.objects.get_or_create(username=name)
        if is_new:
            owner.set_unusable_password()
            owner.save()
        if not owner.records.exists():
            record = Measurement(seed).record().model_copy(update={"lab": LAB})
            hand_in(owner, record.sealed().model_dump_json().encode(), "The record")
    return MeasurementRecord.objects.count()
