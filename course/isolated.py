"""Recognisers of single words: by the nearest template, and by the likeliest model (Lecture 3, *Alignment*).

Both turn a recording into the same frames and know nothing but words that they were given recordings of. Both answer
with one of these words whatever they hear, and with ``""`` where nothing can be compared: digital silence, or a sound
with fewer frames than a model has states.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import soxr

from course.alignment import SYMMETRIC, Step, Templates, distances_to_templates
from course.features import deltas, mfcc, normalise
from course.hmm import Hmm, baum_welch, first_guess
from course.recordings import Recording
from course.sampling import as_signal, check_sample_rate

RATE = 8_000  # Hz, of telephone speech: what both recognisers listen at
N_FEATURES = 39
Alteration = Callable[[Recording], Recording]


def word_features(signal, sample_rate: float) -> np.ndarray:
    """13 cepstral coefficients, their slopes and the slopes of these, each with mean 0 and variance 1 over the word.

    Args:
        signal: ``(n_samples,)``.
        sample_rate: Hz, at least 8,000; what lies above 4,000 Hz is not used.

    Returns:
        ``(n_frames, 39)`` float64, a frame every 10 ms; all zero for digital silence.

    Raises:
        TypeError, ValueError: no signal (see :func:`course.sampling.as_signal`), or a sample rate below 8,000 Hz.
    """
    signal = as_signal(signal)
    check_sample_rate(sample_rate)
    if sample_rate < RATE:
        raise ValueError(
            f"A sample rate of at least {RATE} Hz was expected and {sample_rate:g} Hz came: the upper half of the band "
            "is missing, and no resampling brings it back. Record at 8,000 Hz or more."
        )
    if sample_rate > RATE:
        signal = soxr.resample(signal, sample_rate, RATE)
    cepstra = mfcc(signal, RATE)
    slopes = deltas(cepstra)
    return normalise(np.hstack([cepstra, slopes, deltas(slopes)]))


@dataclass(frozen=True)
class DtwRecogniser:
    """The word of the nearest of some recordings, nearest after dynamic time warping.

    Attributes:
        templates: the frames of all templates.
        words: ``(n_templates,)`` the word of each.
        steps: the steps of the warp, see :mod:`course.alignment`.
        train_seconds: of processor time, for computing the templates.
    """

    templates: Templates
    words: tuple[str, ...]
    steps: tuple[Step, ...]
    train_seconds: float | None
    name: str = "DTW"

    @classmethod
    def fit(
        cls, recordings: Iterable[Recording], per_speaker: int = 5, steps: tuple[Step, ...] = SYMMETRIC
    ) -> "DtwRecogniser":
        """Keep the first ``per_speaker`` recordings of each word by each speaker.

        Raises:
            ValueError: no recordings, one without words, or fewer than one a speaker asked for.
        """
        began = time.process_time()
        if per_speaker < 1:
            raise ValueError(f"At least 1 template for each word and speaker was expected and {per_speaker} came.")
        kept = [
            recording
            for word in _by_word(recordings).values()
            for takes in _grouped(word, lambda recording: recording.speaker).values()
            for recording in takes[:per_speaker]
        ]
        templates = Templates.of([word_features(r.signal, r.sample_rate) for r in kept])
        return cls(templates, tuple(r.text for r in kept), steps, time.process_time() - began)

    @property
    def n_parameters(self) -> int:
        """Numbers that are stored: all features of all templates."""
        return self.templates.frames.size

    def distances(self, frames) -> np.ndarray:
        """How far each template is from the frames ``(n_frames, 39)`` of a word: ``(n_templates,)``."""
        return distances_to_templates(frames, self.templates, self.steps)

    def recognise_frames(self, frames) -> str:
        """The word of the nearest template."""
        return self.words[np.argmin(self.distances(frames))] if np.any(frames) else ""

    def recognise(self, signal, sample_rate: float) -> str:
        """The word of the template that is nearest to a recording of one word; see :func:`word_features`."""
        return self.recognise_frames(word_features(signal, sample_rate))


@dataclass(frozen=True)
class GmmHmmRecogniser:
    """The word whose hidden Markov model gives the frames the highest likelihood.

    Attributes:
        models: word to model.
        log_likelihoods: word to the log likelihood per frame of its training recordings, before the first round of
            training and after each: ``(n_rounds + 1,)``.
        train_seconds: of processor time that training took, features included.
    """

    models: dict[str, Hmm]
    log_likelihoods: dict[str, np.ndarray]
    train_seconds: float | None
    name: str = "GMM-HMM"

    @classmethod
    def fit(
        cls,
        recordings: Iterable[Recording],
        n_states: int = 8,
        n_mixtures: int = 8,
        n_rounds: int = 6,
        variance_floor: float = 0.4,
        alterations: Sequence[Alteration] = (),
    ) -> "GmmHmmRecogniser":
        """Train one left-right model for each word, by :func:`course.hmm.baum_welch`.

        Args:
            recordings: each of one word; the words are their texts. What has fewer frames than states is left out.
            variance_floor: the least variance of a feature whose variance over a word is 1. A high one keeps the models
                from being too sure of the voices that they know.
            alterations: each makes an altered copy of every recording, for example a faster one, to be learned from
                as well; see :mod:`course.augmentation`.

        Raises:
            ValueError: no recordings, or too few of a word for so many states and Gaussians (the word is named).
        """
        began = time.process_time()
        models, log_likelihoods = {}, {}
        for word, takes in _by_word(recordings).items():
            takes = [*takes, *(alter(take) for alter in alterations for take in takes)]
            frames = [word_features(take.signal, take.sample_rate) for take in takes]
            training = _train(word, frames, n_states, n_mixtures, n_rounds, variance_floor)
            models[word] = training.hmm
            log_likelihoods[word] = training.log_likelihoods / sum(map(len, frames))
        return cls(models, log_likelihoods, time.process_time() - began)

    @property
    def n_parameters(self) -> int:
        """Numbers that training sets freely, of all models."""
        return sum(model.n_parameters for model in self.models.values())

    def scores(self, frames) -> dict[str, float]:
        """Word to the log likelihood of the frames ``(n_frames, 39)`` under its model."""
        return {word: model.log_likelihood(frames) for word, model in self.models.items()}

    def recognise_frames(self, frames) -> str:
        """The word whose model makes the frames likeliest."""
        scores = self.scores(frames) if np.any(frames) else {"": 0.0}
        best = max(scores, key=scores.get)
        return best if np.isfinite(scores[best]) else ""

    def recognise(self, signal, sample_rate: float) -> str:
        """The word whose model makes a recording of one word likeliest; see :func:`word_features`."""
        return self.recognise_frames(word_features(signal, sample_rate))


def _train(word: str, frames: list[np.ndarray], n_states: int, n_mixtures: int, n_rounds: int, floor: float):
    long_enough = [sequence for sequence in frames if len(sequence) >= n_states]
    try:
        return baum_welch(first_guess(long_enough, n_states, n_mixtures, floor), long_enough, n_rounds, floor)
    except ValueError as error:
        raise ValueError(f"The word {word!r}, {len(frames)} recordings: {error}") from error


def _by_word(recordings: Iterable[Recording]) -> dict[str, list[Recording]]:
    recordings = list(recordings)
    nameless = [recording.name for recording in recordings if not recording.text.strip()]
    if not recordings or nameless:
        raise ValueError(
            "Recordings of words were expected and "
            + (f"{nameless[0]!r} has no text." if nameless else "none came. Try course.recordings.digits().")
        )
    return _grouped(recordings, lambda recording: recording.text)


def _grouped(recordings: Iterable[Recording], key: Callable[[Recording], str]) -> dict[str, list[Recording]]:
    groups = defaultdict(list)
    for recording in recordings:
        groups[key(recording)].append(recording)
    return dict(groups)
