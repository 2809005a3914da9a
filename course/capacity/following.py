"""One request, followed from its log entry to the conversation in which it stands (Lecture 12, *Cloud and DevOps*).

The entries are those of services/inference, in the shape of Google Cloud Logging's LogEntry. An entry may come twice
and in any order: ``insertId`` tells doubles, and a parent is looked for among all.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from course.errors import CourseError

ANSWERED = "chat.completion"


class Span(NamedTuple):
    """A part of a request's time, seconds after it arrived."""

    name: str
    began: float
    seconds: float


class Node(NamedTuple):
    """An answer in a conversation; ``parent`` is the id of the answer that it continues, or None."""

    id: str
    parent: str | None
    question: str
    answer: str
    seconds: float


def answered(entries: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The payloads of chats that were answered, each once, in the order of their time stamps."""
    once = {entry["insertId"]: entry for entry in entries if "insertId" in entry}
    whole = [entry for entry in once.values() if entry.get("jsonPayload", {}).get("event") == ANSWERED]
    return [
        entry["jsonPayload"]
        for entry in sorted(whole, key=lambda entry: (entry["timestamp"], entry["insertId"]))
        if "problem" not in entry["jsonPayload"]
    ]


def spans(payload: Mapping[str, Any]) -> tuple[Span, ...]:
    """Where a request's time went: in the line, until the first token, and writing the others.

    Raises:
        CourseError: an entry of a request that was not answered.
    """
    try:
        line, first, end = (float(payload[name]) for name in ("queue_seconds", "first_token_seconds", "seconds"))
    except (KeyError, TypeError, ValueError) as error:
        raise CourseError(
            "An entry with queue_seconds, first_token_seconds and seconds was expected: that of an answered chat."
        ) from error
    return Span("in line", 0.0, line), Span("reading", line, first - line), Span("writing", first, end - first)


def conversation(payloads: Iterable[Mapping[str, Any]], name: str) -> list[Node]:
    """The answers of one conversation, in the order of the payloads.

    Args:
        payloads: as from :func:`answered`; the service logs texts where INFERENCE_LOG_TEXTS is true.
        name: its conversation_id.
    """
    return [
        Node(
            payload["message_id"],
            payload["parent_id"],
            payload.get("question", ""),
            payload.get("answer", ""),
            payload["seconds"],
        )
        for payload in payloads
        if payload.get("conversation_id") == name
    ]


def outline(nodes: Iterable[Node]) -> list[str]:
    """The conversation as a tree, a line for each answer, continuations under what they continue.

    An answer whose parent is not there stands at the top and says so; so does one whose ancestors go in a circle.
    """
    below: dict[str | None, list[Node]] = {}
    every = {node.id: node for node in nodes}
    for node in every.values():
        below.setdefault(node.parent if node.parent in every else None, []).append(node)
    lines: list[str] = []
    shown: set[str] = set()
    _show(below.get(None, []), below, every, lines, shown)
    for node in every.values():
        if node.id not in shown:
            _show([node], below, every, lines, shown)
    return lines


def _show(tops: list[Node], below, every, lines: list[str], shown: set[str]) -> None:
    stack = [(0, node) for node in reversed(tops)]
    while stack:
        depth, node = stack.pop()
        if node.id in shown:
            continue
        shown.add(node.id)
        lost = depth == 0 and node.parent is not None
        why = (" (in a circle)" if node.parent in every else " (its parent is missing)") if lost else ""
        lines.append(f"{'   ' * depth}{node.question}{why}")
        stack += [(depth + 1, child) for child in reversed(below.get(node.id, []))]
