"""From lines of a cloud's log to what was said: pure functions on bytes, with a dead letter for what cannot be read.

An entry is Google Cloud Logging's LogEntry, as JSON: a line each, as the inference service and a log bucket write them,
or an array, as ``gcloud logging read --format json`` prints it. Entries about conversations become `Said`; entries
about other things are counted and passed over.

A `Said` is named by the digest of its own content. So the same entry, delivered twice, is the same row twice, and a
store that keeps one row for each digest has it once, whatever is repeated, reordered or killed on the way.
"""

import gzip
import hashlib
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Annotated, Any, Literal, NamedTuple

import pydantic_core
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from course.errors import CourseError, shown
from course.pipelines.records import DeadLetter, read_lines

LONGEST_ENTRY = 1_000_000  # bytes; Cloud Logging takes entries of up to 256 KiB
LONGEST_ARRAY = 256 << 20  # bytes of a file that is one array, which has to be in memory
BLOCK = 1000  # entries that travel together
OTHER = "other"  # what an entry is that is about no conversation
DIGEST = 32  # hexadecimal digits

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,128}$")]
Count = Annotated[int, Field(ge=0, lt=2**31)]
Seconds = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
Score = Annotated[float, Field(ge=-1e300, le=1e300, allow_inf_nan=False)]
ScoreName = Annotated[str, StringConstraints(min_length=1, max_length=80)]
# PostgreSQL's text has no zero letter.
Text = Annotated[str, BeforeValidator(lambda text: text.replace("\0", "\ufffd") if isinstance(text, str) else text)]
Label = Annotated[Text, StringConstraints(max_length=200)]


class Said(NamedTuple):
    """A row: what one entry says of a conversation.

    Attributes:
        digest: of all the others.
        conversation: its id in the portal: the owner's name before the id in the log, where there is an owner.
        insert_id: the log's name for the entry; "" where it has none.
        kind: "exchange" has a question and its answer, "turn" one of both, "score" says something of a turn.
        message: the id of the turn, or of the answer.
        parent: the id of the turn that it follows; "" at the beginning.
        role: who says ``text``.
        question: what was asked; "" where that was not logged.
        text: what was said or answered.
        status: "ok" or "error".
        created: the entry's time, UTC.
        audio: name of a recording of it.
        chosen: whether somebody chose this one among its alternatives; None where nobody said.
    """

    digest: str
    conversation: str
    owner: str
    name: str
    insert_id: str
    kind: str
    message: str
    parent: str
    role: str
    question: str
    text: str
    status: str
    created: datetime
    model: str
    prompt_tokens: int | None
    completion_tokens: int | None
    seconds: float | None
    scores: dict[str, float]
    audio: str
    chosen: bool | None


class Block(NamedTuple):
    """Some entries of a file, each with its number, counted from 1."""

    source: str
    entries: tuple[tuple[int, bytes], ...]


class Payload(BaseModel):
    """What every entry about a conversation has; fields that are not known are passed over, since services grow."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    conversation_id: Id
    message_id: Id


class Answered(Payload):
    """A request to the inference service, at its end."""

    event: Literal["chat.completion", "audio.transcription"]
    parent_id: Id | None = None
    model: Label = ""
    question: Text = ""
    answer: Text = ""
    problem: Label = ""
    prompt_tokens: Count | None = None
    completion_tokens: Count | None = None
    seconds: Seconds | None = None
    scores: dict[ScoreName, Score] = {}


class Turned(Payload):
    """A turn of a call or of a dialog, said by whomever."""

    event: Literal["turn"]
    parent_id: Id | None = None
    role: Literal["system", "user", "assistant", "caller", "agent"]
    text: Text = ""
    model: Label = ""
    seconds: Seconds | None = None
    scores: dict[ScoreName, Score] = {}
    audio: Id | None = None
    chosen: bool | None = None


class Scored(Payload):
    """What was found of a turn later: scores, or that it was chosen."""

    event: Literal["score"]
    scores: dict[ScoreName, Score] = {}
    chosen: bool | None = None


PAYLOAD: TypeAdapter = TypeAdapter(Annotated[Answered | Turned | Scored, Field(discriminator="event")])
EVENTS = frozenset({"chat.completion", "audio.transcription", "turn", "score"})
KNOWN = frozenset(name for one in (Answered, Turned, Scored) for name in one.model_fields)


def parse_entry(line: bytes, source: str = "", number: int = 1, owner: str = "") -> Said | DeadLetter | str:
    """What an entry says of a conversation, ``OTHER`` if it is about none, or why it cannot be read.

    It raises nothing, whatever the line holds.

    Args:
        line: one LogEntry as JSON.
        source: name of the file, for dead letters.
        number: of the entry in it.
        owner: the account whose conversations these are, unless the entry's label "owner" names another.
    """
    try:
        return _said(line, owner)
    except _Refused as refused:
        digest = hashlib.sha256(line).hexdigest()
        return DeadLetter(source, number, refused.reason, refused.detail, len(line), digest)


class _Refused(Exception):
    """An entry that cannot be read."""

    def __init__(self, reason: str, detail: str):
        self.reason, self.detail = reason, detail


def _said(line: bytes, owner: str) -> Said | str:
    entry = _json(line)
    if not isinstance(entry, dict):
        raise _Refused("wrong form", "a LogEntry is a JSON object")
    payload = entry.get("jsonPayload")
    if not isinstance(payload, dict):
        if payload is None and not entry.keys() & {"insertId", "logName", "timestamp", "textPayload", "protoPayload"}:
            raise _Refused("wrong form", "nothing of a LogEntry is in it")
        return OTHER
    event = payload.get("event")
    if not isinstance(event, str) or event not in EVENTS:
        return OTHER
    try:
        content = PAYLOAD.validate_python(payload)
    except ValidationError as error:
        raise _Refused("wrong form", _complaint(error)) from None
    labels = entry.get("labels")
    named = labels.get("owner", owner) if isinstance(labels, dict) else owner
    return _row(content, _insert_id(entry), _owner(named), _time(entry.get("timestamp")))


def _json(line: bytes) -> Any:
    if len(line) > LONGEST_ENTRY:
        raise _Refused("too long", f"more than {LONGEST_ENTRY} bytes")
    try:
        return pydantic_core.from_json(line, allow_inf_nan=False)
    except ValueError as error:
        says = str(error)
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _Refused("not UTF-8", f"at byte {error.start}") from None
    raise _Refused("half-written" if says.startswith("EOF") else "malformed", says)


def _complaint(error: ValidationError) -> str:
    """The first complaint, with its place and nothing of what the entry says."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) if part in KNOWN or isinstance(part, int) else "?" for part in first["loc"][1:])
    return f"jsonPayload.{place or '?'}: {first['msg']}"


def _insert_id(entry: dict[str, Any]) -> str:
    found = entry.get("insertId", "")
    if not isinstance(found, str) or len(found) > 200 or "\0" in found:
        raise _Refused("wrong form", "insertId: a string of at most 200 letters was expected")
    return found


def _owner(name: Any) -> str:
    if not isinstance(name, str) or not re.fullmatch(r"[\w.@+-]{0,150}", name):
        raise _Refused("wrong form", "labels.owner: the name of an account was expected")
    return name


def _time(text: Any) -> datetime:
    """A time of RFC 3339, with up to nine digits of a second, of which six are kept."""
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is None:
            raise ValueError
        return found.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise _Refused("wrong form", "timestamp: a time such as 2026-11-23T09:30:00.123Z was expected") from None


def _row(content: Answered | Turned | Scored, insert_id: str, owner: str, created: datetime) -> Said:
    """The row of a valid entry."""
    name = content.conversation_id
    conversation = f"{owner}~{name}" if owner else name
    tokens: tuple[int | None, int | None] = (None, None)
    seconds, audio, chosen, parent, model, question, status = None, "", None, "", "", "", "ok"
    if isinstance(content, Scored):
        kind, role, text, chosen = "score", "", "", content.chosen
    elif isinstance(content, Turned):
        kind, role, text, chosen, audio = "turn", content.role, content.text, content.chosen, content.audio or ""
    else:
        spoken = content.event == "audio.transcription"
        kind, role = ("turn", "caller") if spoken else ("exchange", "assistant")
        text, question = content.answer or content.problem, content.question
        tokens = content.prompt_tokens, content.completion_tokens
        status = "error" if content.problem else "ok"
    if not isinstance(content, Scored):
        parent, model, seconds = content.parent_id or "", content.model, content.seconds
    rest = (conversation, owner, name, insert_id, kind, content.message_id, parent, role, question, text, status)
    more = (model, *tokens, seconds, dict(sorted(content.scores.items())), audio, chosen)
    digest = hashlib.sha256(json.dumps((*rest, created.isoformat(), *more)).encode()).hexdigest()[:DIGEST]
    return Said(digest, *rest, created, *more)


def read_blocks(path: str, size: int = BLOCK) -> Iterator[Block]:
    """The entries of a file, some at a time; ``.gz`` is unpacked on the way.

    Raises:
        CourseError: the file is not there or cannot be read, or it is an array that is too long.
    """
    source = Path(path).name
    try:
        with gzip.open(path, "rb") if path.endswith(".gz") else open(path, "rb") as file:
            start = file.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
            file.seek(0)
            numbered = _of_array(file, path) if start == b"[" else read_lines(file, LONGEST_ENTRY)
            yield from _in_blocks(source, numbered, size)
    except (OSError, EOFError) as error:
        raise CourseError(
            f"A log was expected at {shown(Path(path))} and it cannot be read: {getattr(error, 'strerror', 0) or error}"
        ) from error


def _in_blocks(source: str, numbered: Iterator[tuple[int, bytes]], size: int) -> Iterator[Block]:
    """Blocks of at most ``size`` entries; of a file without any, one empty block, so that it is heard of."""
    block, blocks = [], 0
    for number, line in numbered:
        block.append((number, line.strip()))
        if len(block) == size:
            yield Block(source, tuple(block))
            block, blocks = [], blocks + 1
    if block or not blocks:
        yield Block(source, tuple(block))


def _of_array(file: IO[bytes], path: str) -> Iterator[tuple[int, bytes]]:
    """The elements of a file that is an array; of one that breaks off, those before, and the rest as it is."""
    content = file.read(LONGEST_ARRAY + 1)
    if len(content) > LONGEST_ARRAY:
        raise CourseError(
            f"{shown(Path(path))} is an array of more than {LONGEST_ARRAY >> 20} MiB, which has to be in memory; "
            "write it as lines: jq -c '.[]' < array.json > entries.jsonl"
        )
    text = content.decode("utf-8", "surrogateescape")
    decoder, space = json.JSONDecoder(), re.compile(r"[\s\ufeff]*")
    number, position = 0, space.match(text).end() + 1
    while True:
        position = space.match(text, position).end()
        if text[position : position + 1] == "]":
            return
        if number and text[position : position + 1] == ",":
            position = space.match(text, position + 1).end()
        number += 1
        try:
            end = decoder.raw_decode(text, position)[1]
        except (ValueError, RecursionError):
            # Where the next one begins cannot be told from here. Where nothing is left, "]" is, and "[" says so.
            yield number, text[position:].encode("utf-8", "surrogateescape")[: LONGEST_ENTRY + 1] or b"["
            return
        yield number, text[position:end].encode("utf-8", "surrogateescape")
        position = end
