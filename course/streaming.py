"""Words while somebody still speaks: a recogniser for whole recordings, used on a stream (Lecture 6).

Cut the stream into chunks and each is recognised once, without what comes next. Or recognise everything so far again
and again, and show the words on which two successive answers agree.

Source: D. Liu et al., Low-latency sequence-to-sequence speech recognition and translation by partial hypothesis
selection, Interspeech 2020 (local agreement); D. Macháček et al., Turning Whisper into a real-time
transcription system, 2023.
"""

from dataclasses import dataclass

import numpy as np

from course.sampling import as_signal, check_sample_rate

LONGEST = 30.0  # seconds that are recognised again and again; longer speech is cut at a pause first


@dataclass(frozen=True)
class Update:
    """What a stream of speech has given by some moment.

    Attributes:
        time: seconds of audio that have been heard.
        settled: words that will not be taken back.
        shown: words that the latest answer has, of which the settled ones are a part.
    """

    time: float
    settled: tuple[str, ...]
    shown: tuple[str, ...]


def in_chunks(recogniser, signal, sample_rate: float, chunk: float) -> list[Update]:
    """Recognise each chunk by itself; its words settle when it ends.

    Args:
        recogniser: has ``recognise(signal, sample_rate) -> str``.
        signal: ``(n_samples,)``.
        sample_rate: Hz.
        chunk: seconds.

    Raises:
        ValueError: a chunk of less than a sample, or not a signal.
    """
    samples = as_signal(signal)
    words, updates = (), []
    for end in _ends(samples, sample_rate, chunk):
        start = round(updates[-1].time * sample_rate) if updates else 0
        words += tuple(recogniser.recognise(samples[start:end], sample_rate).split())
        updates.append(Update(end / sample_rate, words, words))
    return updates


def by_agreement(recogniser, signal, sample_rate: float, step: float) -> list[Update]:
    """Recognise everything heard so far after each step; words settle once two answers in a row begin with them.

    Args:
        recogniser, signal, sample_rate: as for :func:`in_chunks`; at most 30 s.
        step: seconds from one answer to the next.

    Raises:
        ValueError: a step of less than a sample, more than 30 s, or not a signal.
    """
    samples = as_signal(signal)
    ends = _ends(samples, sample_rate, step)
    if samples.size > LONGEST * sample_rate:
        raise ValueError(
            f"At most {LONGEST:g} s were expected and {samples.size / sample_rate:.1f} s came. Cut at a pause first."
        )
    settled, before, updates = (), (), []
    for end in ends:
        shown = tuple(recogniser.recognise(samples[:end], sample_rate).split())
        agreed = common_start(before, shown) if end < samples.size else shown
        settled += agreed[len(settled) :]
        updates.append(Update(end / sample_rate, settled, settled + shown[len(settled) :]))
        before = shown
    return updates


def common_start(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    """The words, as ``second`` spells them, with which both begin; capitals and punctuation do not count."""
    count = 0
    for one, other in zip(first, second, strict=False):
        if bare(one) != bare(other):
            break
        count += 1
    return second[:count]


def bare(word: str) -> str:
    """A word without capitals and punctuation."""
    return "".join(letter for letter in word.casefold() if letter.isalnum())


def mean_delay(updates: list[Update]) -> float:
    """How long a word waits on average from when so many words were first shown until so many have settled.

    Args:
        updates: of :func:`by_agreement`.

    Returns:
        Seconds, over all settled words; NaN if there are none.
    """
    count = len(updates[-1].settled) if updates else 0
    delays = [
        next(update.time for update in updates if len(update.settled) > word)
        - next(update.time for update in updates if len(update.shown) > word)
        for word in range(count)
    ]
    return float(np.mean(delays)) if delays else float("nan")


def taken_back(updates: list[Update]) -> int:
    """How many words were shown and then replaced or removed, over the whole stream."""
    count = 0
    for before, now in zip(updates, updates[1:], strict=False):
        count += len(before.shown) - len(common_start(before.shown, now.shown))
    return count


def _ends(samples: np.ndarray, sample_rate: float, step: float) -> list[int]:
    """Sample numbers at which chunks of ``step`` seconds end, the last at the end of the signal."""
    check_sample_rate(sample_rate)
    if not step * sample_rate >= 1:
        raise ValueError(f"A step of at least a sample was expected and {step} s came. Try 1.")
    ends = np.arange(step, samples.size / sample_rate, step) * sample_rate
    return [*dict.fromkeys(round(end) for end in ends if round(end) < samples.size), samples.size]
