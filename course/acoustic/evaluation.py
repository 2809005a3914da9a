"""Digit strings to test on, and word errors with intervals (Lecture 5)."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from course.recordings import Recording, digit_string
from course.scoring import align_words, bootstrap_interval

SHORTEST, LONGEST = 3, 7  # digits in a test string


def levelled(recordings: Sequence[Recording]) -> list[Recording]:
    """The recordings, each with its peak at half of full scale.

    They were made on different days, and one speaker's differ by up to 30 dB; in a single call they would not.
    """
    peaks = [float(np.abs(recording.signal).max()) or 1.0 for recording in recordings]
    return [replace(r, signal=r.signal * np.float32(0.5 / peak)) for r, peak in zip(recordings, peaks, strict=True)]


def random_strings(
    recordings: Sequence[Recording], n: int, seed: int = 2026, shortest: int = SHORTEST, longest: int = LONGEST
) -> list[Recording]:
    """Random digit strings, each of one speaker, from recordings of single digits.

    Args:
        recordings: to draw from; :func:`levelled`, if the strings are to sound like one call.
        n: how many strings; the speakers take turns.
        seed: of the draw: the same recordings and seed give the same strings.
        shortest, longest: digits in a string.
    """
    rng = np.random.default_rng(seed)
    speakers = sorted({recording.speaker for recording in recordings})
    pools = {speaker: [r for r in recordings if r.speaker == speaker] for speaker in speakers}
    strings = []
    for number in range(n):
        pool = pools[speakers[number % len(speakers)]]
        chosen = rng.integers(len(pool), size=rng.integers(shortest, longest + 1))
        strings.append(digit_string([pool[i] for i in chosen], rng))
    return strings


def true_times(string: Recording, recordings: Sequence[Recording]) -> list[tuple[float, float]]:
    """When each word of a joined string begins and ends, in seconds, found by looking for its recording in it.

    Args:
        string: made by :func:`course.recordings.digit_string`.
        recordings: among them those that it is made of, known by their names.
    """
    by_name = {recording.name: recording for recording in recordings}
    times, place = [], 0
    for name in string.name.split("+"):
        word = by_name[name].signal
        while not np.array_equal(string.signal[place : place + word.size], word):
            place += 1
        times.append((place / string.sample_rate, (place + word.size) / string.sample_rate))
        place += word.size
    return times


def word_errors(strings: Sequence[Recording], hypotheses: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Errors and words of every string: two arrays ``(n_strings,)`` of whole numbers."""
    errors = [align_words(s.text, h).errors for s, h in zip(strings, hypotheses, strict=True)]
    return np.array(errors), np.array([len(s.text.split()) for s in strings])


def score(strings: Sequence[Recording], hypotheses: Sequence[str]) -> dict[str, float]:
    """Word error rate in per cent with its 95 % bootstrap interval: ``wer``, ``low`` and ``high``."""
    return rate(*word_errors(strings, hypotheses))


def rate(errors: np.ndarray, words: np.ndarray) -> dict[str, float]:
    """As :func:`score`, from the errors and words of every string."""
    low, high = bootstrap_interval(errors, words)
    return {"wer": 100 * float(errors.sum() / words.sum()), "low": 100 * low, "high": 100 * high}
