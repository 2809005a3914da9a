"""The record that travels through a pipeline, and lines of JSON that become records or dead letters (Lecture 8).

A line that cannot be read is no reason to end a run of a million lines, and none to forget the line: it becomes a *dead
letter*, which says where the line is, why it was refused, and what its SHA-256 is. It does not hold the line itself,
because nothing in it has been redacted yet.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

SCHEMA_VERSION = 1
LONGEST_LINE = 1_000_000  # bytes
REASONS = ("too long", "not UTF-8", "half-written", "malformed", "another version", "wrong form")

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Strict(BaseModel):
    """A part of a record: fixed fields of fixed types, never changed after it is made."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Turn(Strict):
    """What one side says until the other answers.

    Attributes:
        role: which side.
        speaker: who; the same person has the same name in every record.
        text: what was said, as it was written down.
    """

    role: Literal["agent", "caller"]
    speaker: Name
    text: str


class Provenance(Strict):
    """Where a record comes from.

    Attributes:
        source: the corpus, or the programme that made it.
        licence: SPDX identifier, or the words of the one who gave it.
        origin: whether people said it, templates did, or a language model wrote it.
        parents: ids of the records that it was made from.
        prompt: what a model was asked; empty unless generated.
        model: which model was asked.
        seed: of the model's random numbers.
    """

    source: Name
    licence: Name
    origin: Literal["collected", "made up", "generated"]
    parents: tuple[str, ...] = ()
    prompt: str = ""
    model: str = ""
    seed: int | None = None


class Record(Strict):
    """A dialog or an utterance, with where it comes from.

    Attributes:
        schema_version: of this form; a reader refuses another.
        id: of the record; no two have the same.
        kind: an utterance has one turn, a dialog any number.
        conversation: the call that it was a part of.
        turns: in the order in which they were spoken.
        task: what the caller wanted, where that is known.
        known: personal data that the bank's form held when the call came in, for example ``{"name": ("maria",)}``. They
            help the redaction, which deletes them.
        provenance: where it comes from.
    """

    schema_version: Literal[1]
    id: Name
    kind: Literal["dialog", "utterance"]
    conversation: Name
    turns: tuple[Turn, ...] = Field(min_length=1)
    task: str = ""
    known: dict[str, tuple[str, ...]] = {}
    provenance: Provenance

    @model_validator(mode="after")
    def _an_utterance_is_one_turn(self) -> "Record":
        if self.kind == "utterance" and len(self.turns) != 1:
            raise ValueError(f"an utterance has one turn, and this has {len(self.turns)}")
        return self

    @property
    def text(self) -> str:
        """The turns, one on a line."""
        return "\n".join(turn.text for turn in self.turns)

    @property
    def n_words(self) -> int:
        """Words of all turns together, as white space separates them."""
        return sum(len(turn.text.split()) for turn in self.turns)

    @property
    def line(self) -> str:
        """The record as a line of JSON without its end; equal records have equal lines."""
        return canonical_json(self.model_dump(mode="json"))

    def speakers(self, role: str) -> tuple[str, ...]:
        """Who speaks on one side, sorted."""
        return tuple(sorted({turn.speaker for turn in self.turns if turn.role == role}))

    def with_texts(self, texts: Sequence[str]) -> "Record":
        """The same record with other words; turns whose text is empty are left out, but for the last that is left.

        Raises:
            ValueError: not one text for each turn.
        """
        turns = [turn.model_copy(update={"text": text}) for turn, text in zip(self.turns, texts, strict=True)]
        kept = tuple(turn for turn in turns if turn.text) or tuple(turns[:1])
        return self.model_copy(update={"turns": kept})


def utterances(record: Record, role: str = "caller") -> tuple[Record, ...]:
    """Each turn of one side as a record of its own, with the dialog as its parent."""
    origin = record.provenance.model_copy(update={"parents": (record.id,)})
    return tuple(
        record.model_copy(
            update={"id": f"{record.id}-{number}", "kind": "utterance", "turns": (turn,), "provenance": origin}
        )
        for number, turn in enumerate(record.turns)
        if turn.role == role
    )


@dataclass(frozen=True, order=True)
class DeadLetter:
    """A line that is no record.

    Attributes:
        source: name of the file.
        line: counted from 1.
        reason: one of ``REASONS``.
        detail: what was found, without quoting the line.
        size: bytes of the line; of one that is too long, those that were read.
        sha256: of the same bytes, in hexadecimal.
    """

    source: str
    line: int
    reason: str
    detail: str
    size: int
    sha256: str


def canonical_json(value: Any) -> str:
    """JSON in the one form that has sorted keys, no spaces and no escaped letters.

    Raises:
        ValueError: infinity or NaN, which JSON does not have.
    """
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def parse_line(line: bytes | str, source: str = "", number: int = 1) -> Record | DeadLetter:
    """The record on a line, or why there is none. It raises nothing, whatever the line holds.

    Args:
        line: JSON, with or without the line feed that ends it.
        source: name of the file that it is from.
        number: of the line in it.
    """
    content = line.encode("utf-8", "surrogatepass") if isinstance(line, str) else bytes(line)
    content = content.rstrip(b"\r\n")
    refused = _refusal(content)
    if not isinstance(refused, tuple):
        return refused
    return dead_letter(source, number, *refused, content)


def dead_letter(source: str, number: int, reason: str, detail: str, content: bytes) -> DeadLetter:
    """The dead letter of some bytes: it keeps their number and their SHA-256."""
    return DeadLetter(source, number, reason, detail, len(content), hashlib.sha256(content).hexdigest())


def _refusal(content: bytes) -> Record | tuple[str, str]:
    """The record, or a reason and its detail."""
    if len(content) > LONGEST_LINE:
        return "too long", f"more than {LONGEST_LINE} bytes"
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        return "not UTF-8", f"at byte {error.start}"
    try:
        return Record.model_validate_json(content)
    except ValidationError as error:
        return _complaint(error.errors(include_url=False, include_input=False)[0])


def _complaint(first: Mapping[str, Any]) -> tuple[str, str]:
    """Reason and detail of pydantic's first error; keys that the schema does not know are not quoted."""
    if first["type"] == "json_invalid":
        says = first["ctx"]["error"]
        return ("half-written" if says.startswith("EOF") else "malformed"), says
    known = set(Record.model_fields) | set(Turn.model_fields) | set(Provenance.model_fields)
    place = ".".join(str(part) if isinstance(part, int) or part in known else "?" for part in first["loc"]) or "record"
    reason = "another version" if first["loc"] == ("schema_version",) else "wrong form"
    return reason, f"{place}: {first['msg']}"


def read_lines(file: IO[bytes], longest: int = LONGEST_LINE) -> Iterator[tuple[int, bytes]]:
    """The lines of an open file that hold more than white space, with their numbers.

    Of a line that is too long only ``longest + 1`` bytes are kept in memory: enough to refuse it.
    """
    number = 0
    while line := file.readline(longest + 1):
        number += 1
        rest = line
        while not rest.endswith(b"\n") and (rest := file.readline(longest + 1)):
            pass
        if line.strip():
            yield number, line


def parse_file(file: IO[bytes], source: str) -> Iterator[Record | DeadLetter]:
    """Every line of an open file as a record or a dead letter."""
    for number, line in read_lines(file):
        yield parse_line(line, source, number)
