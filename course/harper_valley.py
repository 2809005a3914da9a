"""Bank calls of the *Harper Valley* corpus, for whoever has pulled it (Lectures 4 to 10).

1,446 simulated calls to a bank. Agent and caller have a recording each; every stretch of speech comes with what a
person and what a machine wrote down, the times of the machine's words, dialog acts and an emotion. The corpus is too
large for a build: ``course data pull harper-valley`` brings it.

A file name is the call's id: ``metadata/SID.json``, ``transcript/SID.json``, ``audio/agent/SID.wav`` and
``audio/caller/SID.wav``.

Source: M. Wu, J. Nafziger, A. Scodary and A. Maas, HarperValleyBank: A Domain-Specific Spoken Dialog Corpus, 2020.
"""

import re
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from course.data import CORPORA
from course.errors import CourseError
from course.recordings import Recording
from course.scoring import normalise

CORPUS = "harper-valley"
NO_WORD = re.compile(r"\[[^\]]*\]|<[^>]*>")  # "[noise]", "[laughter]", "<unk>"


class Published(BaseModel):
    """A part of the corpus as it is published; what is not read here is passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Segment(Published):
    """A stretch of speech by one side.

    Attributes:
        offset_ms: where it starts in that side's recording. ``start_ms`` counts from the start of the conversation,
            which is some two seconds later for the agents' recordings: cutting by it gives other words.
        human_transcript: what a person wrote down, with tags such as "[noise]".
        transcript: what a machine recognised; the word times belong to it.
    """

    index: int = Field(ge=0)
    speaker_role: Literal["agent", "caller"]
    offset_ms: int = Field(ge=0)
    start_ms: int
    duration_ms: int = Field(ge=0)
    human_transcript: str
    transcript: str
    dialog_acts: tuple[str, ...] = ()
    emotion: dict[str, float] = {}
    word_offsets_ms: tuple[int, ...] = ()
    word_durations_ms: tuple[int, ...] = ()

    @model_validator(mode="after")
    def _times_belong_together(self) -> "Segment":
        if len(self.word_offsets_ms) != len(self.word_durations_ms):
            raise ValueError(
                f"segment {self.index}: {len(self.word_offsets_ms)} word offsets, but "
                f"{len(self.word_durations_ms)} durations"
            )
        return self

    @property
    def words(self) -> str:
        """What was said, as `course.scoring.normalise` writes it, without tags; empty for noise alone."""
        return normalise(NO_WORD.sub(" ", self.human_transcript))

    @property
    def machine_words(self) -> str:
        """What the machine recognised, in the same form."""
        return normalise(NO_WORD.sub(" ", self.transcript))


class Side(Published):
    """Who was on one end of the line."""

    speaker_id: int


class Task(Published):
    """What the caller was to get done, for example "replace card"."""

    task_type: str


class Metadata(Published):
    """What is known about a call as a whole."""

    sid: str
    session: str
    agent: Side
    caller: Side
    tasks: tuple[Task, ...]


class Call(Published):
    """A call: its metadata and its segments in the order in which they were spoken."""

    metadata: Metadata
    segments: tuple[Segment, ...]


def call_ids() -> tuple[str, ...]:
    """The ids of all calls, sorted; empty where the corpus has not been pulled."""
    files = (Path(file) for file in CORPORA[CORPUS].hashes)
    return tuple(sorted(file.stem for file in files if file.parent.name == "transcript"))


def read_call(sid: str) -> Call:
    """One call without its sound.

    Raises:
        CourseError: the corpus is not here, it has no such call, or a file of it does not have the published form.
    """
    metadata = _parsed(Metadata, f"metadata/{sid}.json")
    segments = _parsed(tuple[Segment, ...], f"transcript/{sid}.json")
    return Call(metadata=metadata, segments=tuple(sorted(segments, key=lambda segment: segment.index)))


def _located(file: str) -> Path:
    if not CORPORA[CORPUS].hashes:
        raise CourseError(f"The Harper Valley calls are not on this machine; 'course data pull {CORPUS}' brings them.")
    path = CORPORA.locate(CORPUS, file)
    if path is None:
        raise CourseError(f"{file} of the Harper Valley calls has gone; run 'course data pull {CORPUS}' again.")
    return path


def _parsed(kind, file: str):
    path = _located(file)
    try:
        return TypeAdapter(kind).validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise CourseError(f"{path} does not have the published form: {place}: {first['msg']}.") from error


def recordings(call: Call) -> tuple[Recording, ...]:
    """Every segment of a call in which words were said, cut out of the recording of its side.

    Raises:
        CourseError: the sound is missing, or ends before a segment does.
    """
    import soundfile

    sid = call.metadata.sid
    sides = {role: soundfile.read(_located(f"audio/{role}/{sid}.wav"), dtype="float32") for role in ("agent", "caller")}
    return tuple(_cut(call, segment, *sides[segment.speaker_role]) for segment in call.segments if segment.words)


def _cut(call: Call, segment: Segment, signal, sample_rate: int) -> Recording:
    start = round(segment.offset_ms * sample_rate / 1000)
    stop = round((segment.offset_ms + segment.duration_ms) * sample_rate / 1000)
    name = f"{call.metadata.sid} {segment.index}"
    if stop > signal.size + sample_rate // 100:
        raise CourseError(
            f"Segment {name} ends at {stop / sample_rate:.2f} s, but the {segment.speaker_role}'s recording has "
            f"{signal.size / sample_rate:.2f} s. Pull the corpus again."
        )
    side = getattr(call.metadata, segment.speaker_role)
    return Recording(
        name=name,
        signal=signal[start:stop],
        sample_rate=sample_rate,
        text=segment.words,
        speaker=f"{segment.speaker_role} {side.speaker_id}",
        origin="a simulated bank call of the Gridspace-Stanford Harper Valley corpus",
        recorded=True,
    )
