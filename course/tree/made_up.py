"""Made-up conversations of any size, for tests, demonstrations and the benchmark; the same again for the same seed."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from course.tree.conversation import VERSION

START = datetime(2026, 11, 23, 9, tzinfo=UTC)
ASKED = (
    "What is my balance, please?",
    "I lost my debit card yesterday and I would like a new one.",
    "Please move two hundred dollars from savings to checking.",
    "When does the branch on Harper Street open on Saturday?",
    "No, that is not what I meant. Say it again, more slowly.",
)
ANSWERED = (
    "Your balance is one thousand two hundred and four dollars. Is there anything else that I can help you with today?",
    "I have blocked the card. A new one is on its way and will be with you in five working days.",
    "I can do that. On which day shall the money be moved?",
    "It opens at nine and closes at one.",
    "I am sorry, I did not understand that.",
)
BRANCHES = 0.25  # how often a turn follows an earlier one than the last
NEAR, FAR = 8, 0.2  # most of these go back a few turns, and some to any turn
ROLES = {"user": ASKED, "assistant": ANSWERED}


def made_up(n_turns: int, seed: int = 0) -> dict[str, Any]:
    """A conversation of ``n_turns`` turns, a quarter of which begin an alternative to what was said.

    Args:
        n_turns: 1 or more.
        seed: of what is said and where it branches.

    Raises:
        ValueError: fewer than one turn.
    """
    if n_turns < 1:
        raise ValueError(f"A conversation of at least 1 turn was expected and {n_turns} were asked for.")
    chance = random.Random(seed)
    nodes: list[dict[str, Any]] = []
    for number in range(n_turns):
        after = number - 1
        if number and chance.random() < BRANCHES:
            after = chance.randrange(0 if chance.random() < FAR else max(0, number - NEAR), number)
        parent = nodes[after] if number else None
        nodes.append(_turn(number, parent, chance))
    at: str | None = nodes[-1]["id"]
    by_id = {node["id"]: node for node in nodes}
    while at is not None:
        by_id[at]["chosen"] = True
        at = by_id[at]["parent"]
    return {"version": VERSION, "id": f"made-up-{seed}", "title": "Made-up call", "nodes": nodes, "problems": []}


def _turn(number: int, parent: dict[str, Any] | None, chance: random.Random) -> dict[str, Any]:
    answer = parent is not None and parent["role"] == "user"
    role = "assistant" if answer else "user"
    took = round(chance.uniform(0.2, 4.0), 3)
    return {
        "id": f"turn-{number}",
        "parent": parent and parent["id"],
        "role": role,
        "text": chance.choice(ROLES[role]),
        "created": (START + timedelta(seconds=5 * number)).isoformat().replace("+00:00", "Z"),
        "status": "ok",
        "model": "made-up" if answer else None,
        "prompt_tokens": chance.randrange(20, 200) if answer else None,
        "completion_tokens": chance.randrange(5, 60) if answer else None,
        "seconds": took if answer else None,
        "scores": {"helpfulness": round(chance.random(), 3)} if answer else {},
        "audio": None,
        "chosen": False,
    }
