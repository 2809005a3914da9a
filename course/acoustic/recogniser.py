"""Digit recognisers on the ladder: one network, four ways to read its output (Lecture 5)."""

from collections.abc import Callable, Sequence

import numpy as np
import torch

from course.acoustic.alphabet import Alphabet
from course.acoustic.augmentation import NOISY, Augmentation
from course.acoustic.checkpoints import SEEN, facts_of, load_network
from course.acoustic.frontend import SAMPLE_RATE, log_mel
from course.acoustic.network import CtcNetwork, count_parameters
from course.acoustic.training import STEPS, train
from course.ctc import WordGrammar, greedy, prefix_beam
from course.recordings import DIGITS
from course.sampling import as_signal

Decoder = Callable[[np.ndarray, Alphabet], str]
BEAM, FLOOR = 16, -14.0  # prefixes kept; symbols below the floor are not tried in a frame


def log_probs(network: CtcNetwork, signal, sample_rate: float = SAMPLE_RATE) -> np.ndarray:
    """What the network says about a recording.

    Args:
        network: in evaluation mode.
        signal: ``(n_samples,)`` in [-1, 1].
        sample_rate: Hz; other rates than 8 kHz are brought there, and what is above 4 kHz is lost.

    Returns:
        ``(n_frames, n_symbols)`` float64, a frame every 20 ms; rows are normalised in double precision.

    Raises:
        TypeError, ValueError: not a signal, see :func:`course.sampling.as_signal`, or a rate below 8 kHz.
    """
    with torch.inference_mode():
        scores = network(log_mel(at_8_khz(signal, sample_rate)))[0].double().numpy()
    return scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)


def at_8_khz(signal, sample_rate: float) -> np.ndarray:
    """The signal at the network's rate, ``(n_samples,)`` float32.

    Raises:
        ValueError: a lower rate, which lacks what the network listens to.
    """
    samples = as_signal(signal)
    if not sample_rate >= SAMPLE_RATE:
        raise ValueError(
            f"Speech at {SAMPLE_RATE} Hz or more was expected and a sample rate of {sample_rate!r} came. "
            "What is missing above half of it cannot be brought back: record again at a higher rate."
        )
    if sample_rate != SAMPLE_RATE:
        import soxr

        samples = soxr.resample(samples, sample_rate, SAMPLE_RATE)
        samples = samples if samples.size else np.zeros(1)
    return samples.astype(np.float32)


def by_best_path(scores: np.ndarray, alphabet: Alphabet) -> str:
    """Read the likeliest symbol of each frame."""
    return alphabet.decode(greedy(scores)).strip()


def by_beam(scores: np.ndarray, alphabet: Alphabet) -> str:
    """Read the labelling with the largest sum over its alignments."""
    return alphabet.decode(prefix_beam(scores, BEAM, floor=FLOOR)[0][0]).strip()


class ByGrammar:
    """Read the likeliest sequence of words of a lexicon.

    Args:
        words: that may be said.
        language_model, weight, bonus: as for :class:`course.ctc.WordGrammar`.
    """

    def __init__(self, words: Sequence[str] = DIGITS, language_model=None, weight: float = 1.0, bonus: float = 0.0):
        self.words, self.options = tuple(words), (language_model, weight, bonus)
        self._grammars: dict[Alphabet, WordGrammar] = {}

    def __call__(self, scores: np.ndarray, alphabet: Alphabet) -> str:
        if alphabet not in self._grammars:
            spellings = {word: alphabet.encode(word) for word in self.words}
            self._grammars[alphabet] = WordGrammar(spellings, alphabet.encode(" ")[0], *self.options)
        found = prefix_beam(scores, BEAM, self._grammars[alphabet], floor=FLOOR)
        return alphabet.decode(found[0][0]) if found else ""


class CtcRecogniser:
    """A CTC network with a way to read it.

    Args:
        network: trained.
        alphabet: its symbols.
        decoder: from log probabilities to text; words of the lexicon if not given.
        name: on the ladder.
        train_seconds: CPU seconds that training took, or None if unknown.
    """

    def __init__(
        self,
        network: CtcNetwork,
        alphabet: Alphabet,
        decoder: Decoder | None = None,
        name: str = "CTC + lexicon",
        train_seconds: float | None = None,
    ):
        self.network, self.alphabet, self.name = network, alphabet, name
        self.decoder = decoder or ByGrammar()
        self.train_seconds = train_seconds
        self.n_parameters = count_parameters(network)

    @classmethod
    def shipped(cls, held_out: str | None = None, **options) -> "CtcRecogniser":
        """The kit's own checkpoint.

        Args:
            held_out: the speaker whom training did not hear; None for the one that heard all six.
            options: ``decoder`` and ``name``.

        Raises:
            CourseError: no checkpoint for this speaker.
        """
        name = SEEN if held_out is None else f"unseen-{held_out}"
        network, alphabet = load_network(name)
        return cls(network, alphabet, train_seconds=facts_of(name)["cpu_seconds"], **options)

    @classmethod
    def fit(
        cls, recordings: Sequence, steps: int = STEPS, seed: int = 0, augmentation: Augmentation = NOISY, **options
    ) -> "CtcRecogniser":
        """Train on single words; minutes of CPU time for the default number of steps.

        Args:
            recordings: at 8 kHz, each with its ``text`` and ``speaker``.
            steps, seed, augmentation: as for :func:`course.acoustic.training.train`.
            options: ``decoder`` and ``name``.
        """
        training = train(recordings, steps, seed, augmentation)
        for progress in training:
            last = progress
        return cls(last.network, last.alphabet, train_seconds=last.cpu_seconds, **options)

    def log_probs(self, signal, sample_rate: float = SAMPLE_RATE) -> np.ndarray:
        """What the network says, ``(n_frames, n_symbols)``; see :func:`log_probs`."""
        return log_probs(self.network, signal, sample_rate)

    def recognise(self, signal, sample_rate: float = SAMPLE_RATE) -> str:
        """The words of a recording; empty where none are found.

        Raises:
            TypeError, ValueError: not a signal, or a rate below 8 kHz.
        """
        return self.decoder(self.log_probs(signal, sample_rate), self.alphabet)
