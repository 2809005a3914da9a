"""Made-up logs of a bank's calls, whole or damaged in every way that a log can be, for demo, drill and benchmark."""

import json
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 23, 9, tzinfo=UTC)
QUESTIONS = (
    "What is my balance?",
    "I lost my debit card yesterday.",
    "Please move 200 dollars from savings to checking.",
    "When does the branch open on Saturday?",
)
ANSWERS = (
    "Your balance is 1,204 dollars.",
    "I have blocked the card; a new one is on its way.",
    "I can do that. Which day?",
    "It opens at nine.",
)


def entries(conversations: int, turns: int, seed: int = 0) -> Iterator[dict]:
    """Log entries of the inference service: each conversation a tree of exchanges, a third of which branch off earlier.

    Args:
        conversations: how many.
        turns: exchanges of each.
        seed: of what is asked and where it branches.
    """
    chance = random.Random(seed)
    for number in range(conversations):
        made: list[str] = []
        for turn in range(turns):
            parent = (chance.choice(made) if chance.random() < 1 / 3 else made[-1]) if made else None
            made.append(f"chatcmpl-{seed}-{number}-{turn}")
            time = START + timedelta(seconds=37 * number + 5 * turn)
            yield entry(f"made-{seed}-{number:06d}-{turn:06d}", time, conversation=f"call-{seed}-{number}") | {
                "jsonPayload": exchange(f"call-{seed}-{number}", made[-1], parent, chance)
            }


def entry(insert_id: str, time: datetime, conversation: str) -> dict:
    """A LogEntry without its payload."""
    return {
        "insertId": insert_id,
        "logName": "projects/local/logs/inference",
        "resource": {"type": "generic_task", "labels": {"project_id": "local", "job": "inference"}},
        "timestamp": time.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "severity": "INFO",
        "trace": f"projects/local/traces/{conversation}",
    }


def exchange(conversation: str, message: str, parent: str | None, chance: random.Random) -> dict:
    """The payload of an answered request."""
    which = chance.randrange(len(QUESTIONS))
    return {
        "event": "chat.completion",
        "request_id": f"req-{message}",
        "seconds": round(chance.uniform(0.2, 4.0), 6),
        "model": "fake-chat",
        "conversation_id": conversation,
        "parent_id": parent,
        "message_id": message,
        "prompt_tokens": chance.randrange(20, 200),
        "completion_tokens": chance.randrange(5, 60),
        "finish_reason": "stop",
        "question": QUESTIONS[which],
        "answer": ANSWERS[which],
        "scores": {"helpfulness": round(chance.random(), 3)},
    }


def lines(made: Sequence[dict]) -> list[bytes]:
    """Entries as lines of JSON, without their ends."""
    return [json.dumps(one).encode() for one in made]


def damaged(made: Sequence[bytes], seed: int = 0) -> bytes:
    """A log as it arrives: shuffled, a tenth delivered twice, with half-written and foreign lines between."""
    chance = random.Random(seed)
    told = [*made, *chance.sample(list(made), len(made) // 10)]
    for number in range(max(len(made) // 50, 4)):
        one = chance.choice(made)
        told.append(
            (one[: len(one) // 2], b'{"insertId": "x"', b"Traceback (most recent call last):", b"\xff")[number % 4]
        )
    chance.shuffle(told)
    return b"\n".join(told) + b"\n"
