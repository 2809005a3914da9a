"""Recorded speech that the course is taught on: digits, sentences, telephone prompts, and noise (Lectures 2 to 6).

Every corpus comes from the registry (`course.data`). Where its files are not on the machine, espeak-ng speaks the same
words; each recording says in ``origin`` and ``recorded`` which it is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib.resources import files as package_files
from itertools import product
from pathlib import Path
from zlib import crc32

import numpy as np

from course.data import CORPORA
from course.errors import CourseError
from course.synthesised import speak_digit, speak_prompts, speak_readings, synthetic_clatter

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
N_TAKES, N_TEST_TAKES = 50, 5
N_TEST_PROMPTS = 60
N_READINGS = 80


@dataclass(frozen=True, eq=False)
class Recording:
    """Somebody saying known words.

    Attributes:
        name: of the recording within its corpus.
        signal: ``(n_samples,)`` float32 in [-1, 1], read-only.
        sample_rate: in Hz.
        text: the words that are spoken, as `course.scoring.normalise` writes them.
        speaker: who speaks.
        origin: who recorded it or which program spoke it, for the caption of whatever uses it.
        recorded: whether a person was recorded.
    """

    name: str
    signal: np.ndarray
    sample_rate: int
    text: str
    speaker: str
    origin: str
    recorded: bool

    def __post_init__(self):
        signal = np.asarray(self.signal)
        if signal.ndim != 1:
            raise ValueError(f"One channel was expected, an array (n_samples,); the shape {signal.shape} came.")
        if not (np.issubdtype(signal.dtype, np.floating) and np.isfinite(signal).all()):
            raise ValueError("Finite samples in [-1, 1] were expected; integers, NaN or infinity came.")
        if self.sample_rate <= 0:
            raise ValueError(f"A sample rate above 0 Hz was expected and {self.sample_rate} came.")
        signal = signal.astype(np.float32)
        signal.setflags(write=False)
        object.__setattr__(self, "signal", signal)

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.signal.size / self.sample_rate


def digits(
    speakers: Sequence[str] = SPEAKERS, takes: Iterable[int] = range(N_TAKES), words: Sequence[str] = DIGITS
) -> tuple[Recording, ...]:
    """Spoken digits of the Free Spoken Digit Dataset at 8 kHz, ordered by speaker, then word, then take.

    Raises:
        CourseError: a speaker, word or take that the corpus does not have, or files of it are missing.
    """
    takes = tuple(takes)
    _check_known("speaker", speakers, SPEAKERS)
    _check_known("digit", words, DIGITS)
    _check_known("take", takes, range(N_TAKES))
    return tuple(_digit(speaker, word, take) for speaker, word, take in product(speakers, words, takes))


def _check_known(noun: str, wanted: Iterable, known: Sequence) -> None:
    if isinstance(wanted, str):
        raise CourseError(f"A list of {noun}s was expected and the text {wanted!r} came; write ({wanted!r},).")
    for value in wanted:
        if value not in known:
            raise CourseError(f"No {noun} is called {value!r}; there are {', '.join(map(str, known))}.")


def _digit(speaker: str, word: str, take: int) -> Recording:
    name = f"{DIGITS.index(word)}_{speaker}_{take}"
    path = _located("fsdd", f"recordings/{name}.wav")
    if path is None:
        return _spoken_digit(name, speaker, word, take)
    return _read(path, name, word, speaker, f"recorded by {speaker} for the Free Spoken Digit Dataset")


@cache
def _spoken_digit(name: str, speaker: str, word: str, take: int) -> Recording:
    origin = "synthesised by espeak-ng (the recordings of the Free Spoken Digit Dataset are not here)"
    return Recording(name, speak_digit(speaker, word, take), 8000, word, speaker, origin, False)


def _located(corpus: str, file: str) -> Path | None:
    """The file, or None where the whole corpus is absent.

    Raises:
        CourseError: the corpus is here, but not this file of it.
    """
    path = CORPORA.locate(corpus, file)
    if path is None and CORPORA.locate(corpus, next(iter(CORPORA[corpus].hashes))):
        raise CourseError(f"{CORPORA[corpus].title}: {file} is missing; run 'course data pull {corpus}'.")
    return path


@cache
def _read(path: Path, name: str, text: str, speaker: str, origin: str) -> Recording:
    import soundfile

    signal, sample_rate = soundfile.read(path, dtype="float32")
    return Recording(name, signal, sample_rate, text, speaker, origin, True)


def take_of(recording: Recording) -> int:
    """The number of the take, 0 to 49, of a recorded digit."""
    return int(recording.name.rsplit("_", 1)[1])


def seen_split() -> tuple[tuple[Recording, ...], tuple[Recording, ...]]:
    """Train and test digits of the same six speakers: takes 5 to 49 and takes 0 to 4, the corpus's own split."""
    return digits(takes=range(N_TEST_TAKES, N_TAKES)), digits(takes=range(N_TEST_TAKES))


def unseen_splits() -> dict[str, tuple[tuple[Recording, ...], tuple[Recording, ...]]]:
    """Every speaker in turn held out: all takes of the other five to train on, all takes of that one to test on."""
    others = {held_out: tuple(s for s in SPEAKERS if s != held_out) for held_out in SPEAKERS}
    return {held_out: (digits(others[held_out]), digits((held_out,))) for held_out in SPEAKERS}


def digit_string(
    recordings: Sequence[Recording], rng: np.random.Generator | None = None, gap: tuple[float, float] = (0.05, 0.2)
) -> Recording:
    """Several recordings joined with short silences before, between and after them.

    Args:
        recordings: at least one, all at the same sample rate.
        rng: draws the lengths of the silences; without it they follow from the recordings' names.
        gap: shortest and longest silence in seconds.

    Raises:
        ValueError: no recording, or different sample rates.
    """
    rates = {recording.sample_rate for recording in recordings}
    if len(rates) != 1:
        raise ValueError(f"Recordings at one sample rate were expected; {sorted(rates) or 'no recordings'} came.")
    rate, name = rates.pop(), "+".join(recording.name for recording in recordings)
    rng = rng or np.random.default_rng(crc32(name.encode()))
    lengths = (rng.uniform(*gap, len(recordings) + 1) * rate).astype(int)
    pieces = [np.zeros(lengths[0], np.float32)]
    for recording, length in zip(recordings, lengths[1:], strict=True):
        pieces += [recording.signal, np.zeros(length, np.float32)]
    text = " ".join(recording.text for recording in recordings)
    speakers = " ".join(dict.fromkeys(recording.speaker for recording in recordings))
    return replace(recordings[0], name=name, signal=np.concatenate(pieces), text=text, speaker=speakers)


def readings(n: int | None = None) -> tuple[Recording, ...]:
    """Sentences read aloud, at 16 kHz: 80 utterances of eight speakers of LibriSpeech's test-other.

    The first eight are one of each speaker, and so on. The fallback speaks the first 16.

    Args:
        n: how many, from the first; all without it.

    Raises:
        CourseError: files of the corpus are missing.
    """
    order = _reading_texts()[:n]
    paths = [_located("librispeech-test-other", f"{name.split('-')[0]}/{name}.flac") for name, _ in order]
    if paths and paths[0] is None:
        origin = "synthesised by espeak-ng (the LibriSpeech recordings are not here)"
        spoken = speak_readings(_reading_texts())
        return tuple(
            Recording(name, spoken[name], 16000, text, name.split("-")[0], origin, False)
            for name, text in order
            if name in spoken
        )
    return tuple(
        _read(path, name, text, name.split("-")[0], "read for LibriVox, from LibriSpeech test-other")
        for path, (name, text) in zip(paths, order, strict=True)
    )


@lru_cache
def _reading_texts() -> tuple[tuple[str, str], ...]:
    """Name and words of each reading: every speaker's first, every speaker's second, and so on."""
    by_speaker: dict[str, list] = {}
    for name, text in _table("librispeech-test-other.tsv"):
        by_speaker.setdefault(name.split("-")[0], []).append((name, text))
    return tuple(pair for turn in zip(*by_speaker.values(), strict=True) for pair in turn)


def _table(file: str) -> list[tuple[str, str]]:
    lines = package_files("course").joinpath("manifests", file).read_text(encoding="utf-8").splitlines()
    return [tuple(line.split("\t")) for line in lines if not line.startswith("#")]


def prompts(n: int | None = None) -> tuple[Recording, ...]:
    """Telephone prompts of at least four spoken words, at 8 kHz, one speaker, no two with the same words.

    Their order is fixed and mixes the subjects, so that the first n are a fair sample.

    Args:
        n: how many, from the first; all without it.

    Raises:
        CourseError: files of the corpus are missing.
    """
    order = _table("asterisk-en.tsv")
    chosen = order[:n]
    paths = [_located("asterisk-en", f"{name}.wav") for name, _ in chosen]
    if paths and paths[0] is None:
        origin = "synthesised by espeak-ng (the Asterisk recordings are not installed)"
        spoken = speak_prompts(tuple(text for _, text in order), len(chosen))
        return tuple(
            Recording(name, signal, 8000, text, "espeak", origin, False)
            for (name, text), signal in zip(chosen, spoken, strict=True)
        )
    return tuple(
        _read(path, name, text, "allison", "recorded by Allison Smith for Asterisk")
        for path, (name, text) in zip(paths, chosen, strict=True)
    )


def prompt_split(n_test: int = N_TEST_PROMPTS) -> tuple[tuple[str, ...], tuple[Recording, ...]]:
    """Texts to train a language model of the domain on, and prompts to test on that say none of them.

    Returns:
        texts: the words of every prompt after the first ``n_test``.
        test: the first ``n_test`` prompts.
    """
    return tuple(text for _, text in _table("asterisk-en.tsv")[n_test:]), prompts(n_test)


@lru_cache
def kitchen_noise(sample_rate: int) -> np.ndarray:
    """Somebody doing the dishes, 95 seconds; seeded synthetic clatter where the recording is not here.

    Args:
        sample_rate: wanted, in Hz.

    Returns:
        ``(n_samples,)`` float32 in [-1, 1], read-only.
    """
    path = CORPORA.locate("kitchen-noise", "doing_the_dishes.wav")
    if path is None:
        noise, rate = synthetic_clatter(), 16000
    else:
        import soundfile

        noise, rate = soundfile.read(path, dtype="float32")
    return resampled(Recording("noise", noise, rate, "", "", "", path is not None), sample_rate).signal


def resampled(recording: Recording, sample_rate: int) -> Recording:
    """The same recording at another sample rate, band-limited as that rate asks for; peaks are kept within ±1.

    Raises:
        ValueError: the wanted rate is not above 0.
    """
    if sample_rate <= 0:
        raise ValueError(f"A sample rate above 0 Hz was expected and {sample_rate} came; telephones have 8000.")
    if sample_rate == recording.sample_rate:
        return recording
    import soxr

    signal = soxr.resample(recording.signal, recording.sample_rate, sample_rate)
    return replace(recording, signal=np.clip(signal, -1, 1), sample_rate=sample_rate)
