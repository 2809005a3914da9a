"""Raw data to run a pipeline on, with defects that are planted and counted (Lecture 8).

The calls are those of :mod:`course.language.calls`. What collecting adds is planted: lines cut off by a crash, records
of another version, calls that were delivered twice, calls that somebody retyped with a word more, calls in German, a
recogniser that was stuck. What was planted is known, so that what a pipeline reports can be checked against it.
"""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from course.evaluation.contamination import lightly_edited
from course.language.calls import Call, made_up_calls
from course.pipelines import languages
from course.pipelines.records import LONGEST_LINE, SCHEMA_VERSION, Provenance, Record, Turn
from course.pipelines.streaming import CallEvent
from course.storage import write_atomic

SOURCE, LICENCE = "course.language.calls", "MIT"
CALLS_PER_CALLER = 3  # in the mean
N_AGENTS = 10
SHARE = 0.05  # of the records that each defect is planted in
DELAY = 20.0  # seconds from the end of a call to its arrival in the log, in the mean
STUCK = (300.0, 7200.0)  # seconds that an event of a stuck queue takes
AGAIN = 600.0  # seconds after which an event may be delivered again


@dataclass(frozen=True)
class Raw:
    """Lines to be read, and what is wrong with them.

    Attributes:
        lines: without line feeds.
        planted: name of a defect to the number of lines that have it; the names are those that a pipeline reports.
    """

    lines: tuple[bytes, ...]
    planted: dict[str, int]


def made_up_records(n: int, seed: int = 0) -> tuple[Record, ...]:
    """``n`` calls as dialogs; callers call more than once, and have the name that they say on their form.

    Raises:
        ValueError: a negative or fractional ``n``.
    """
    return tuple(record_of(call, seed, n) for call in made_up_calls(n, seed))


def record_of(call: Call, seed: int, n_calls: int) -> Record:
    """A made-up call as a record; its caller is drawn from so many that each has about ``CALLS_PER_CALLER`` calls."""
    rng = random.Random(f"speakers of {call.sid}")
    caller = f"caller-{seed}-{rng.randrange(max(n_calls // CALLS_PER_CALLER, 1))}"
    speakers = {"agent": f"agent-{rng.randrange(N_AGENTS)}", "caller": caller}
    turns = tuple(Turn(role=t.speaker_role, speaker=speakers[t.speaker_role], text=t.text) for t in call.turns)
    return Record(
        schema_version=SCHEMA_VERSION,
        id=call.sid,
        kind="dialog",
        conversation=call.sid,
        turns=turns,
        task=call.task,
        known={"name": (name_in(call),)},
        provenance=Provenance(source=SOURCE, licence=LICENCE, origin="made up"),
    )


def name_in(call: Call) -> str:
    """The caller's name, with which the summary of a made-up call begins."""
    return " ".join(call.summary.split()[:2]).lower()


def raw_lines(n: int, seed: int = 0) -> Raw:
    """``n`` calls as lines of JSON among lines with planted defects, in an order drawn at random."""
    records, rng = made_up_records(n, seed), random.Random(f"raw {seed}")
    share = max(round(SHARE * n), 1) if n else 0
    drawn = iter(rng.sample(records, min(6 * share, n)))
    some = {defect: list(islice(drawn, share)) for defect in ("exact", "near", "same id", "stuck", "damaged", "torn")}
    planted = {
        "exact": [copied(record, "copy").line for record in some["exact"]],
        "near": [retyped(record, seed).line for record in some["near"]],
        "same id": [record.line for record in some["same id"]],
        "another language": [_foreign(number, rng).line for number in range(share)],
        "repetitive": [_stuck(record).line for record in some["stuck"]],
        "damaged letters": [_damaged(record).line for record in some["damaged"]],
        "half-written": [record.line[: rng.randrange(10, 200)] for record in some["torn"]],
        "another version": [
            record.line.replace('"schema_version":1', '"schema_version":2') for record in records[:share]
        ],
        "wrong form": [record.line.replace('"kind":"dialog"', '"kind":7') for record in records[:share]],
        "malformed": [record.line.replace(",", ";", 1) for record in records[:share]],
        "not UTF-8": [record.line.encode()[:-2] + b"\xff" for record in records[:share]],
        "too long": [json.dumps("x" * LONGEST_LINE)] if n else [],
    }
    lines = [record.line for record in records] + [line for found in planted.values() for line in found]
    rng.shuffle(lines)
    encoded = tuple(line if isinstance(line, bytes) else line.encode() for line in lines)
    return Raw(encoded, {name: len(found) for name, found in planted.items()})


def write_raw(folder: Path, n: int, n_files: int = 4, seed: int = 0) -> Raw:
    """Write :func:`raw_lines` as ``calls-0.jsonl`` and so on; the last file ends without a line feed."""
    raw = raw_lines(n, seed)
    for number in range(n_files):
        write_atomic(Path(folder, f"calls-{number}.jsonl"), b"\n".join(raw.lines[number::n_files]))
    return raw


def copied(record: Record, suffix: str) -> Record:
    """The same call under another id, in another conversation."""
    name = f"{record.id}-{suffix}"
    return record.model_copy(update={"id": name, "conversation": name})


def retyped(record: Record, seed: int) -> Record:
    """The same call under another id, with a filler word put into each of three turns."""
    rng = np.random.default_rng([seed, len(record.line)])
    texts = [turn.text for turn in record.turns]
    for place in rng.choice(len(texts), size=min(3, len(texts)), replace=False):
        texts[place] = lightly_edited(texts[place], rng)
    return copied(record.with_texts(texts), "retyped")


def _foreign(number: int, rng: random.Random) -> Record:
    language = rng.choice(("de", "es", "fr", "it"))
    texts = rng.sample(languages.learned_from()[language] + languages.held_out()[language], 8)
    return _call(f"foreign-{number}", texts)


def _stuck(record: Record) -> Record:
    phrase = " ".join(record.turns[0].text.split()[:4])
    return _call(f"{record.id}-stuck", [record.turns[0].text, " ".join([phrase] * 20)])


def _damaged(record: Record) -> Record:
    return copied(record.with_texts([turn.text.replace("'", "â€™") + " Ã©" for turn in record.turns]), "damaged")


def _call(name: str, texts: Sequence[str]) -> Record:
    """A call whose turns alternate."""
    roles = ("agent", "caller")
    turns = [
        Turn(role=roles[number % 2], speaker=f"{roles[number % 2]}-of-{name}", text=text)
        for number, text in enumerate(texts)
    ]
    return Record(
        schema_version=SCHEMA_VERSION,
        id=name,
        kind="dialog",
        conversation=name,
        turns=tuple(turns),
        provenance=Provenance(source=SOURCE, licence=LICENCE, origin="made up"),
    )


def call_events(n: int, seed: int = 0, per_minute: float = 6.0) -> tuple[CallEvent, ...]:
    """``n`` ended calls in the order of their ends: Poisson arrivals, handling times log-normal around four minutes."""
    rng = np.random.default_rng(seed)
    ends = np.round(np.cumsum(rng.exponential(60 / per_minute, n)), 3)
    handling = np.round(1000 * rng.lognormal(np.log(240), 0.6, n)).astype(int)
    queues, callers = rng.choice(["cards", "loans", "accounts"], n), rng.integers(max(n // 3, 1), size=n)
    return tuple(
        CallEvent(
            event_id=f"event-{seed}-{number}",
            call=f"call-{seed}-{number}",
            caller=f"caller-{callers[number]}",
            queue=str(queues[number]),
            at=float(ends[number]),
            handling_ms=int(handling[number]),
        )
        for number in range(n)
    )


def log_lines(n: int, seed: int = 0) -> Raw:
    """``n`` events as lines of a log, in the order of their arrival, with what goes wrong on the way planted.

    Most events take seconds to arrive. Some wait in a queue that is stuck, minutes to hours; some are delivered again;
    some lines are cut off, or are no event.

    Raises:
        ValueError: a negative ``n``.
    """
    rng = np.random.default_rng([seed, 1])
    events, share = call_events(n, seed), max(round(SHARE * n), 1) if n else 0
    arrivals = {event.event_id: event.at + float(rng.exponential(DELAY)) for event in events}
    stuck = [events[place] for place in rng.choice(n, share, replace=False)] if n else []
    for event in stuck:
        arrivals[event.event_id] = event.at + float(rng.uniform(*STUCK))
    again = [events[place] for place in rng.choice(n, share, replace=False)] if n else []
    torn = [events[place] for place in rng.choice(n, share, replace=False)] if n else []
    timed = [(arrivals[event.event_id], event.model_dump_json()) for event in events]
    timed += [(arrivals[event.event_id] + float(rng.uniform(0, AGAIN)), event.model_dump_json()) for event in again]
    timed += [(arrivals[event.event_id], _broken(event, number)) for number, event in enumerate(torn)]
    lines = tuple(line.encode() for _, line in sorted(timed))
    return Raw(lines, {"stuck": len(stuck), "delivered twice": len(again), "no event": len(torn)})


def _broken(event: CallEvent, number: int) -> str:
    """A line of the log that is no event: cut off, without its queue, or with a duration that is text."""
    line = event.model_dump_json()
    kinds = (
        line[: len(line) // 2],
        line.replace('"queue"', '"desk"'),
        line.replace('"handling_ms":', '"handling_ms":"x'),
    )
    return kinds[number % len(kinds)]


def write_log(path: Path, n: int, seed: int = 0) -> Raw:
    """Write :func:`log_lines` to a file."""
    raw = log_lines(n, seed)
    write_atomic(Path(path), b"".join(line + b"\n" for line in raw.lines))
    return raw
