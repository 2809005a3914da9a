"""Conversations as data, JSON version 1: checked, or made from a list of messages."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from course.errors import CourseError

VERSION = 1
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SOURCE = "try the JSON of the portal's /api/conversations/ID/, or from_messages"
Message = Mapping[str, Any]


class ConversationError(CourseError, ValueError):
    """A conversation that is no tree of version 1; the message is a sentence."""


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


class Node(_Part):
    """A turn. ``chosen``: whether it lies on the way that was taken; ``seconds``: that its answer took."""

    id: str = Field(min_length=1)
    parent: str | None = None
    role: str
    text: str
    created: str | None = None
    status: str = "ok"
    model: str | None = None
    prompt_tokens: int | None = Field(None, ge=0)
    completion_tokens: int | None = Field(None, ge=0)
    seconds: float | None = Field(None, ge=0)
    scores: dict[str, float] = {}
    audio: str | None = None
    chosen: bool = False


class Problem(_Part):
    """What a log had wrong about a turn."""

    node: str
    kind: Literal["orphan", "cycle", "duplicate", "clock"]
    message: str


class Conversation(_Part):
    """All of it, as the portal's views read it."""

    version: Literal[1]
    id: str = ""
    title: str = ""
    nodes: list[Node]
    problems: list[Problem] = []


def checked(conversation: Mapping[str, Any]) -> dict[str, Any]:
    """The conversation with all its fields, if it is a tree of version 1.

    Args:
        conversation: ``version``, ``id``, ``title``, ``nodes`` and ``problems``, as services/portal/README.md has them;
            of a node only ``id``, ``role`` and ``text`` are needed.

    Raises:
        ConversationError: it is not: another version, a field of the wrong kind, two turns of one id, a parent that is
            no turn, or turns that follow each other in a circle.
    """
    version = conversation.get("version") if isinstance(conversation, Mapping) else None
    if version != VERSION or isinstance(version, bool):
        raise ConversationError(f"A conversation of version {VERSION} was expected and {version!r} came: {SOURCE}.")
    try:
        found = Conversation.model_validate(dict(conversation))
    except ValidationError as error:
        raise ConversationError(_sentence(error)) from error
    parents = _parents(found.nodes)
    _check_acyclic(parents)
    for problem in found.problems:
        if problem.node not in parents:
            sentence = f"The problem “{problem.kind}” was expected to name a turn and names {problem.node!r}"
            raise ConversationError(f"{sentence}: name one that is there, or leave it out.")
    return found.model_dump()


def from_messages(messages: Iterable[Message | Sequence[Message]], title: str = "Conversation") -> dict[str, Any]:
    """A conversation from chat messages, one after the other.

    Args:
        messages: each a dictionary with ``role`` and ``content``, and any other field of a node that is known
            (``model``, ``seconds``, ``scores``, ``audio``, …); a list of them is alternatives in one place, and its
            first was chosen.
        title: of the conversation.

    Raises:
        ConversationError: a message without role or content, an empty list of alternatives, or an unknown field.

    Example:
        >>> two = from_messages([{"role": "user", "content": "hi"}, [{"role": "assistant", "content": "Hello."},
        ...                      {"role": "assistant", "content": "What?"}]])
        >>> [(node["id"], node["parent"], node["chosen"]) for node in two["nodes"]]
        [('turn-1', None, True), ('turn-2', 'turn-1', True), ('turn-2-2', 'turn-1', False)]
    """
    nodes: list[dict[str, Any]] = []
    parent = None
    for number, place in enumerate(messages, 1):
        level = [place] if isinstance(place, Mapping) else list(place)
        if not level:
            raise ConversationError(
                f"Message {number} was expected and an empty list came: give it one message or more."
            )
        names = [f"turn-{number}" + (f"-{other}" if other > 1 else "") for other in range(1, len(level) + 1)]
        nodes += [_turn(message, name, parent, name == names[0]) for message, name in zip(level, names, strict=True)]
        parent = names[0]
    return checked({"version": VERSION, "id": "messages", "title": title, "nodes": nodes, "problems": []})


def _turn(message: Message, name: str, parent: str | None, chosen: bool) -> dict[str, Any]:
    if not isinstance(message, Mapping) or not isinstance(message.get("content"), str):
        raise ConversationError(
            f'A message was expected for {name} and {message!r} came: try {{"role": "user", "content": "…"}}.'
        )
    rest = {key: value for key, value in message.items() if key != "content"}
    return rest | {"id": name, "parent": parent, "text": message["content"], "chosen": chosen}


def _sentence(error: ValidationError) -> str:
    """The first mistake, and where it is."""
    first = error.errors(include_url=False)[0]
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"]).lstrip(".")
    came = "" if first["type"] == "missing" else f", and {first['input']!r:.60} came"
    return f"conversation.{where}: {first['msg'][0].lower()}{first['msg'][1:]} was the complaint{came}; {SOURCE}."


def _parents(nodes: Sequence[Node]) -> dict[str, str | None]:
    """Each turn's parent."""
    parents: dict[str, str | None] = {}
    for node in nodes:
        if node.id in parents:
            raise ConversationError(
                f"Each id was expected once and {node.id!r} came twice: give one of the turns another."
            )
        parents[node.id] = node.parent
    for name, parent in parents.items():
        if parent is not None and parent not in parents:
            sentence = f"The parent of turn {name!r} was expected among the turns and {parent!r} is none"
            raise ConversationError(f"{sentence}: add it, or let the turn begin a tree with the parent None.")
    return parents


def _check_acyclic(parents: Mapping[str, str | None]) -> None:
    known: set[str | None] = {None}
    for start in parents:
        walk: dict[str | None, None] = {}
        at: str | None = start
        while at not in known:
            if at in walk:
                raise ConversationError(
                    f"A tree was expected and turn {at!r} follows itself: let one of its circle have the parent None."
                )
            walk[at] = None
            at = parents[at]
        known |= walk.keys()
