"""Recordings of speech to a data set: one form, no silence, no duplicates, split by speaker, FLAC (Lecture 8).

The steps are those of text, and pure functions as there: a recording that cannot be read becomes a dead letter, a
filter names its reason, exact duplicates share a digest, near ones share much of a fingerprint, and a keyed hash draws
speakers, not recordings. :mod:`course.pipelines.sound_transforms` calls the same functions from Beam.

The *fingerprint* is a set of numbers, one for each 5 ms. A number says in 16 bits whether the difference between
neighbouring bands has grown or shrunk within 50 ms. Loudness cancels out; the telephone's coding and a little noise
turn some bits; and another recording of the same word has other numbers. From sets on, everything is as with words:
similarity by Jaccard, candidates by MinHash. Measured on spoken digits: of 180 copies that are quieter or begin 3 ms
later all are found at a similarity of 0.15, of those through mu-law 98 %, of those through GSM 1 %; and of the 4.5
million pairs of the 3,000 recordings none is taken for a copy.

Source of the fingerprint: J. Haitsma and T. Kalker, A Highly Robust Audio Fingerprinting System, ISMIR 2002.
"""

import hashlib
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from course.features.mel import log_mel
from course.pipelines.duplicates import Banding, connected, similar_pairs
from course.pipelines.files import exists, is_local, join, open_for_reading, read_whole
from course.pipelines.records import DeadLetter, Name, canonical_json, dead_letter, read_lines
from course.pipelines.splitting import SHARES, part_of
from course.pipelines.stages import Counted
from course.voice_activity import frame_levels

BELOW_LOUDEST_DB = 40.0  # a frame this far below the loudest one of its recording is silence
QUIETEST_DB = -60.0  # of the loudest frame, relative to full scale; a recording below it holds no speech
MARGIN = 0.05  # seconds that stay before and after the speech
SHORTEST, LONGEST = 0.1, 60.0  # seconds of what is left
N_BITS = 16  # of a number of the fingerprint
BAND_EDGES = (300.0, 2800.0)  # Hz: what every telephone transmits
FRAME, HOP, REACH = 0.064, 0.005, 10  # seconds, seconds, hops
MILLISECONDS = "milliseconds"  # the stage whose counts say how long each speaker speaks in each part
REASONS = ("malformed", "missing", "no sound file", "empty", "not finite")


class Listed(BaseModel):
    """A line of a list of recordings.

    Attributes:
        name: of the recording; no two have the same.
        file: its path, absolute or relative to the list.
        speaker: who speaks; the same person has the same name on every line.
        text: what is said; empty where nobody wrote it down.
        source: the corpus.
        licence: SPDX identifier, or the words of the one who gave it.
        recorded: whether a person was recorded; False for synthesised speech.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: Name
    file: str = Field(min_length=1)
    speaker: Name
    text: str = ""
    source: Name
    licence: Name
    recorded: bool = True

    @property
    def line(self) -> str:
        """As a line of JSON without its end."""
        return canonical_json(self.model_dump(mode="json"))


class Settings(BaseModel):
    """What decides about a speech data set's content.

    Attributes:
        sample_rate: of all recordings, Hz.
        shards: archives of each part.
        key: of the split.
        validation, test: shares of the speakers; the rest is for training.
        near: similarity of fingerprints from which two recordings are one.
        bands, rows: of the signatures that find them.

    Raises:
        ValidationError: a value outside its range, or a field that there is not.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sample_rate: Literal[8000, 16000] = 8000
    shards: int = Field(2, ge=1, le=99_999)
    key: str = "lecture 8"
    validation: float = Field(SHARES["validation"], gt=0, lt=0.5)
    test: float = Field(SHARES["test"], gt=0, lt=0.5)
    near: float = Field(0.15, gt=0, le=1)
    bands: int = Field(128, ge=1)
    rows: int = Field(2, ge=1)

    @property
    def shares(self) -> dict[str, float]:
        """The share of each part."""
        return {"train": 1 - self.validation - self.test, "validation": self.validation, "test": self.test}

    @property
    def banding(self) -> Banding:
        """How near duplicates are found."""
        return Banding(self.bands, self.rows)


@dataclass(frozen=True)
class Clip:
    """A recording on its way into a data set; it travels between workers, so its samples are bytes.

    Attributes:
        listed: what the list says of it.
        sample_rate: in Hz.
        pcm: 16-bit samples, little-endian.
    """

    listed: Listed
    sample_rate: int
    pcm: bytes

    @property
    def name(self) -> str:
        """Of the recording."""
        return self.listed.name

    @property
    def speaker(self) -> str:
        """Who speaks."""
        return self.listed.speaker

    @property
    def text(self) -> str:
        """What is said."""
        return self.listed.text

    @property
    def origin(self) -> str:
        """Where it is from and under which licence."""
        return f"{self.listed.source}, {self.listed.licence}"

    @property
    def recorded(self) -> bool:
        """Whether a person was recorded."""
        return self.listed.recorded

    @property
    def signal(self) -> np.ndarray:
        """``(n_samples,)`` int16: FLAC keeps each of them."""
        return np.frombuffer(self.pcm, dtype="<i2")

    @property
    def milliseconds(self) -> int:
        """How long it lasts, rounded: whole numbers add up to the same in any order."""
        return round(1000 * self.signal.size / self.sample_rate)

    @property
    def digest(self) -> str:
        """SHA-256 of the samples and their rate, in hexadecimal."""
        return hashlib.sha256(f"{self.sample_rate} ".encode() + self.pcm).hexdigest()


def read_list(file: str) -> Iterator[tuple[int, Listed] | DeadLetter]:
    """The lines of a list of recordings with their numbers, or why one is none."""
    with open_for_reading(file) as opened:
        for number, line in read_lines(opened):
            yield parse_listed(line, Path(file).name, number)


def parse_listed(line: bytes, source: str = "", number: int = 1) -> tuple[int, Listed] | DeadLetter:
    """What a line lists, with its number; or a dead letter. It raises nothing, whatever the line holds."""
    content = line.rstrip(b"\r\n")
    try:
        return number, Listed.model_validate_json(content)
    except ValidationError as error:
        return dead_letter(source, number, "malformed", error.errors()[0]["type"], content)


def place_of(listed: Listed, list_file: str) -> str:
    """Where a recording lies: its path, or that below the folder of the list."""
    if not is_local(listed.file) or listed.file.startswith("/"):
        return listed.file
    return join(list_file.rsplit("/", 1)[0] if "/" in list_file else ".", listed.file)


def decode(content: bytes) -> tuple[np.ndarray, int] | tuple[str, str]:
    """The sound in a file's bytes as ``(n_samples, n_channels)`` float32 and its rate, or a reason and its detail."""
    import soundfile

    try:
        signal, sample_rate = soundfile.read(io.BytesIO(content), dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        return "no sound file", error.error_string
    if not signal.size:
        return "empty", "no samples"
    return (signal, sample_rate) if np.isfinite(signal).all() else ("not finite", "NaN or infinity")


def load(numbered: tuple[int, Listed], list_file: str, settings: Settings) -> Clip | DeadLetter:
    """One recording in the form of the data set: mono, at its rate, in 16 bits; not trimmed yet."""
    number, listed = numbered
    path, source = place_of(listed, list_file), Path(list_file).name
    if not exists(path):
        return dead_letter(source, number, "missing", "there is no such file", listed.line.encode())
    content = read_whole(path)
    decoded = decode(content)
    if isinstance(decoded[0], str):
        return dead_letter(source, number, *decoded, content)
    signal, sample_rate = decoded
    return Clip(listed, settings.sample_rate, as_pcm(at_rate(signal.mean(axis=1), sample_rate, settings.sample_rate)))


def at_rate(signal: np.ndarray, sample_rate: int, wanted: int) -> np.ndarray:
    """``(n_samples,)`` float32 at another rate, band-limited as that rate asks for."""
    if sample_rate == wanted:
        return signal
    import soxr

    return soxr.resample(signal, sample_rate, wanted)


def as_pcm(signal: np.ndarray) -> bytes:
    """Samples in [-1, 1] as 16-bit numbers, little-endian; what is louder is clipped."""
    return np.clip(np.round(np.asarray(signal, dtype=np.float64) * 2**15), -(2**15), 2**15 - 1).astype("<i2").tobytes()


def trimmed(clip: Clip) -> Clip:
    """The recording without silence before and after the speech; empty if there is none.

    Silence is what lies far below the recording's own loudest frame. A detector that follows the noise floor would need
    some silence first, and recordings that somebody has cut already have none.
    """
    if not clip.pcm:
        return clip
    levels = frame_levels(clip.signal / 2**15, clip.sample_rate)
    active = np.flatnonzero(levels > max(levels.max() - BELOW_LOUDEST_DB, QUIETEST_DB))
    if not active.size:
        return Clip(clip.listed, clip.sample_rate, b"")
    hop, margin = clip.sample_rate // 100, round(MARGIN * clip.sample_rate)
    start, stop = max(int(active[0]) * hop - margin, 0), int(active[-1]) * hop + margin
    return Clip(clip.listed, clip.sample_rate, clip.signal[start:stop].tobytes())


def reason_to_drop(clip: Clip) -> str | None:
    """Why a trimmed recording does not go on, or None."""
    if not clip.pcm:
        return "silent"
    seconds = clip.signal.size / clip.sample_rate
    return "too short" if seconds < SHORTEST else "too long" if seconds > LONGEST else None


def prepare(
    thing: tuple[int, Listed] | DeadLetter, list_file: str, settings: Settings
) -> Iterator[Clip | DeadLetter | Counted]:
    """One line by itself: read, trimmed, and left out with a reason or kept; with what is to be counted."""
    clip = thing if isinstance(thing, DeadLetter) else load(thing, list_file, settings)
    if isinstance(clip, DeadLetter):
        yield Counted("dead letters", clip.reason)
        yield clip
        return
    yield Counted("read", "recordings")
    kept = trimmed(clip)
    yield Counted("trimmed", "milliseconds", clip.milliseconds - kept.milliseconds)
    reason = reason_to_drop(kept)
    yield Counted("filtered", reason) if reason else kept


def fingerprint(clip: Clip) -> np.ndarray:
    """The recording's numbers as a sorted set, ``(n_numbers,)`` uint64, each below 65,536."""
    rate = clip.sample_rate
    framing = {"win_length": round(FRAME * rate), "hop_length": round(HOP * rate)}
    bands = log_mel(clip.signal / 2**15, rate, N_BITS + 1, *BAND_EDGES, **framing)  # (n_frames, N_BITS + 1)
    slopes = np.diff(bands, axis=1)
    grown = slopes[REACH:] > slopes[:-REACH]
    return np.unique(grown.astype(np.uint64) @ (np.uint64(1) << np.arange(N_BITS, dtype=np.uint64)))


def keep_one(clips: Iterable[Clip], reason: str) -> tuple[Clip, list[Counted]]:
    """Of several recordings the longest, and of those the first by name; with a count for each of the others."""
    kept, *others = sorted(clips, key=lambda clip: (-len(clip.pcm), clip.name, clip.listed.line, clip.pcm))
    return kept, [Counted("duplicates", reason) for _ in others]


def one_of_each(clips: Iterable[Clip], key, reason: str, counts: list[Counted]) -> list[Clip]:
    """One recording for each key; the others are appended to ``counts``."""
    together = defaultdict(list)
    for clip in clips:
        together[key(clip)].append(clip)
    chosen = [keep_one(group, reason) for group in together.values()]
    counts += [one for _, dropped in chosen for one in dropped]
    return [kept for kept, _ in chosen]


def without_duplicates(clips: Iterable[Clip], settings: Settings, counts: list[Counted]) -> list[Clip]:
    """Recordings without those of the same name, of the same samples, and of nearly the same sound."""
    clips = one_of_each(clips, lambda clip: clip.name, "same name", counts)
    clips = one_of_each(clips, lambda clip: clip.digest, "exact", counts)
    prints = {clip.name: fingerprint(clip) for clip in clips}
    same = connected(similar_pairs(prints, settings.near, settings.banding))
    return one_of_each(clips, lambda clip: same.get(clip.name, clip.name), "near", counts)


def part_of_clip(clip: Clip, settings: Settings) -> str:
    """The part of a recording: its speaker's."""
    return part_of(f"speaker {clip.speaker}", settings.key, settings.shares)


def written(part: str, clip: Clip) -> tuple[Counted, ...]:
    """What a recording that is written adds to the counts."""
    return (
        Counted("written", part),
        Counted("licence", clip.listed.licence),
        Counted(MILLISECONDS, f"{part}: {clip.speaker}", clip.milliseconds),
    )
