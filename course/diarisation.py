"""Who spoke when: clusters of speaker embeddings, and how wrong the answer is (Lecture 6, *Pretrained speech models*).

Activity is a Boolean array ``(n_frames, n_speakers)``: who speaks in which frame. Nobody may, and several may.

Source: the error rate is that of NIST's Rich Transcription evaluations (2009), here without a forgiving collar.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from course.recordings import Recording
from course.sampling import as_signal
from course.speaker_embeddings import embed_windows, unit

FRAME = 0.01  # seconds
OWN_SPEECH = 0.5  # least share of speech in a window whose embedding counts


@dataclass(frozen=True)
class Call:
    """Several speakers on one line.

    Attributes:
        signal: ``(n_samples,)`` float32.
        sample_rate: Hz.
        turns: (start, end, speaker) of each stretch of speech, seconds.
        recorded: whether people speak.
    """

    signal: np.ndarray
    sample_rate: int
    turns: tuple[tuple[float, float, str], ...]
    recorded: bool

    @property
    def speakers(self) -> list[str]:
        """Names in the order of their first turn."""
        return list(dict.fromkeys(speaker for *_, speaker in self.turns))


Stretches = Callable[[Recording], Sequence[tuple[float, float]]]


def whole(recording: Recording) -> list[tuple[float, float]]:
    """The stretch of a recording in which somebody speaks, if all of it is speech."""
    return [(0.0, recording.seconds)]


def call_of(
    recordings: Sequence[Recording], gap: float = 0.3, overlap_every: int = 0, speech: Stretches = whole
) -> Call:
    """Join recordings to a call.

    Args:
        recordings: at one sample rate, in the order in which they are heard.
        gap: seconds of silence between the speech of one and of the next.
        overlap_every: if above 0, each so many-th recording starts ``gap`` seconds *before* the last one has ended.
        speech: says in which stretches, (start, end) in seconds, of a recording somebody speaks. What lies before the
            first and behind the last is cut off.

    Returns:
        The call; its turns are the stretches.

    Raises:
        ValueError: no recordings, two sample rates, or a recording without speech.
    """
    rates = {recording.sample_rate for recording in recordings}
    if len(rates) != 1:
        raise ValueError(f"Recordings at one sample rate were expected, and {len(rates)} rates came: {sorted(rates)}.")
    rate, end = rates.pop(), -gap
    signal, turns = np.zeros(0, np.float32), []
    for number, recording in enumerate(recordings):
        stretches = speech(recording)
        if not stretches:
            raise ValueError(f"Recordings with speech were expected; in {recording.name!r} nobody was found to speak.")
        early = overlap_every and number and number % overlap_every == 0
        start = max(0.0, end - gap if early else end + gap)
        first, last = stretches[0][0], stretches[-1][1]
        part = recording.signal[round(first * rate) : round(last * rate)]
        at = round(start * rate)
        signal = np.pad(signal, (0, max(0, at + part.size - signal.size)))
        signal[at : at + part.size] += part
        end = start + part.size / rate
        turns += [(start + one - first, start + other - first, recording.speaker) for one, other in stretches]
    return Call(signal, rate, tuple(turns), all(recording.recorded for recording in recordings))


def activity(turns, speakers: list[str], n_frames: int) -> np.ndarray:
    """Turns as frames of 10 ms.

    Args:
        turns: (start, end, speaker) in seconds.
        speakers: the columns.
        n_frames: rows; what comes later is left out.

    Returns:
        ``(n_frames, n_speakers)`` bool.

    Raises:
        ValueError: a turn of someone who is not among the speakers, or one that ends before it starts.
    """
    frames = np.zeros((n_frames, len(speakers)), bool)
    for start, end, speaker in turns:
        if speaker not in speakers or end < start:
            raise ValueError(
                f"A turn of {', '.join(speakers)} that ends after its start was expected; {(start, end, speaker)} came."
            )
        frames[round(start / FRAME) : round(end / FRAME), speakers.index(speaker)] = True
    return frames


def cluster(embeddings: np.ndarray, n_clusters: int | None = None, threshold: float = 0.6) -> np.ndarray:
    """Agglomerative clustering: join the two most similar groups until enough are joined.

    The similarity of two groups is the mean cosine over all pairs, one from each (average linkage).

    Args:
        embeddings: ``(n, d)`` in rows of length 1.
        n_clusters: how many groups to leave; None if that is not known, and then ``threshold`` decides.
        threshold: groups less similar than this stay apart; read only without ``n_clusters``.

    Returns:
        ``(n,)`` int group of each, numbered in order of first appearance.

    Raises:
        ValueError: no embeddings, or fewer than ``n_clusters``.
    """
    count = len(embeddings)
    if count < (n_clusters or 1):
        raise ValueError(f"At least {n_clusters or 1} embeddings were expected and {count} came. Take longer speech.")
    sums, sizes = embeddings @ embeddings.T, np.ones(count)  # of cosines between groups; of members
    groups = np.arange(count)
    alive = np.ones(count, bool)
    while alive.sum() > (n_clusters or 1):
        means = np.where(np.outer(alive, alive), sums / np.outer(sizes, sizes), -np.inf)
        np.fill_diagonal(means, -np.inf)
        one, other = sorted(np.unravel_index(means.argmax(), means.shape))
        if n_clusters is None and means[one, other] < threshold:
            break
        groups[groups == other] = one
        sums[one] += sums[other]
        sums[:, one] += sums[:, other]
        sizes[one] += sizes[other]
        alive[other] = False
    return in_order_of_appearance(groups)


def in_order_of_appearance(groups: np.ndarray) -> np.ndarray:
    """The same groups, numbered 0, 1, 2 … by who comes first."""
    names, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]


def diarise(
    signal, sample_rate: float, speech, n_speakers: int | None = None, threshold: float = 0.6, every: float = 0.2
) -> np.ndarray:
    """Who spoke when, without knowing anybody beforehand: embed, cluster, and give each frame to the nearest group.

    Args:
        signal: ``(n_samples,)``.
        sample_rate: Hz.
        speech: ``(n_frames,)`` bool, frames of 10 ms in which anybody speaks (see `course.voice_activity`).
        n_speakers: how many there are, or None if that is not known.
        threshold: as for :func:`cluster`.
        every: seconds between the windows of 1.6 s that are embedded.

    Returns:
        ``(n_frames, n_groups)`` bool, at most one group in each frame; no groups if nobody speaks.
    """
    speech = np.asarray(speech, dtype=bool)
    if not (speech.any() and as_signal(signal).any()):
        return np.zeros((speech.size, 0), bool)
    centres, embeddings = embed_windows(signal, sample_rate, every)
    share = np.array([speech_share(speech, centre) for centre in centres])
    kept = share >= min(OWN_SPEECH, share.max())
    centres, embeddings = centres[kept], embeddings[kept]
    groups = cluster(embeddings, min(n_speakers, len(embeddings)) if n_speakers else None, threshold)
    means = np.stack([unit(embeddings[groups == group].mean(axis=0)) for group in range(groups.max() + 1)])
    nearest = (embeddings @ means.T).argmax(axis=1)
    moments = (np.arange(speech.size) + 0.5) * FRAME
    of_frame = nearest[np.abs(moments[:, np.newaxis] - centres).argmin(axis=1)]
    return (of_frame[:, np.newaxis] == np.arange(len(means))) & speech[:, np.newaxis]


def speech_share(speech: np.ndarray, centre: float, width: float = 1.6) -> float:
    """The share of frames with speech within ``width`` seconds around ``centre``."""
    first = max(0, round((centre - width / 2) / FRAME))
    window = speech[first : round((centre + width / 2) / FRAME)]
    return float(window.mean()) if window.size else 0.0


@dataclass(frozen=True)
class DiarisationError:
    """What is wrong, each as a share of the time that people really spoke (two at once count twice).

    Attributes:
        missed: speech that was given to nobody.
        false_alarm: more speakers at a time than there were.
        confusion: speech that was given to the wrong one.
        groups: for each group its speaker's column, or None.
    """

    missed: float
    false_alarm: float
    confusion: float
    groups: tuple[int | None, ...]

    @property
    def rate(self) -> float:
        """The diarisation error rate: the sum of the three; it can exceed 1."""
        return self.missed + self.false_alarm + self.confusion


def diarisation_error(reference, hypothesis) -> DiarisationError:
    """Compare two activities; each group is taken for the speaker that makes the error smallest.

    Args:
        reference: ``(n_frames, n_speakers)`` bool.
        hypothesis: ``(n_frames, n_groups)`` bool.

    Raises:
        ValueError: different numbers of frames, or nobody speaks in the reference.
    """
    reference, hypothesis = np.asarray(reference, dtype=bool), np.asarray(hypothesis, dtype=bool)
    if reference.ndim != 2 or hypothesis.ndim != 2 or len(reference) != len(hypothesis):
        raise ValueError(
            "Two activities (n_frames, n_speakers) over the same frames were expected, and "
            f"{reference.shape} and {hypothesis.shape} came."
        )
    spoken = reference.sum()
    if not spoken:
        raise ValueError("A reference in which somebody speaks was expected; an error rate divides by that time.")
    together = reference.T.astype(int) @ hypothesis.astype(int)  # (n_speakers, n_groups) frames in common
    speakers, groups = linear_sum_assignment(together, maximize=True)
    right = together[speakers, groups].sum()
    n_reference, n_hypothesis = reference.sum(axis=1), hypothesis.sum(axis=1)
    missed = np.maximum(n_reference - n_hypothesis, 0).sum()
    false_alarm = np.maximum(n_hypothesis - n_reference, 0).sum()
    confusion = np.minimum(n_reference, n_hypothesis).sum() - right
    of_group = dict(zip(groups.tolist(), speakers.tolist(), strict=True))
    named = tuple(of_group.get(group) for group in range(hypothesis.shape[1]))
    return DiarisationError(missed / spoken, false_alarm / spoken, confusion / spoken, named)
