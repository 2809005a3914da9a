"""Learning from what a new caller said, though nobody has written it down (Lecture 5).

A network errs on a stranger in a few ways, again and again: nearly every "three" of one speaker is heard as "eight".
But the digits of account numbers are about equally frequent. That alone says by how much each word's score is off, and
with the scores put right most single digits are recognised. From these labels, some of them wrong, the network learns.

Sources: D.-H. Lee, Pseudo-label, 2013 (learning from its own answers); Y. M. Asano, C. Rupprecht and A. Vedaldi,
Self-labelling via simultaneous clustering and representation learning, 2020 (answers chosen so that all are equally
frequent).
"""

import copy
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import scipy.optimize
import torch

from course.acoustic.alphabet import BLANK, Alphabet
from course.acoustic.augmentation import NOISY
from course.acoustic.frontend import SAMPLE_RATE
from course.acoustic.network import CtcNetwork
from course.acoustic.training import BATCH, LONGEST, Strings, ctc_step, learning_rate
from course.errors import CourseError
from course.recordings import DIGITS, Recording

STEPS, PEAK_RATE = 100, 5e-4  # a sixth of the rate of training: the network is to change, not to forget
PAUSE = 0.1  # seconds of silence before and after a word, as in the strings of training
TEMPERATURE, SPREAD = 4.0, 1.0  # of balanced scores; see `balancing`


def word_scores(
    network: CtcNetwork, alphabet: Alphabet, recordings: Sequence[Recording], words: Sequence[str] = DIGITS
) -> np.ndarray:
    """How well each word explains each recording of one word.

    Args:
        network: in evaluation mode.
        alphabet: its symbols.
        recordings: of single words, at 8 kHz or more.
        words: that may have been said.

    Returns:
        ``(n_recordings, n_words)`` natural logarithms of probability, summed over alignments.
    """
    from course.acoustic.recogniser import at_8_khz, log_probs

    targets = [torch.tensor([alphabet.encode(word)]) for word in words]
    pause = np.zeros(int(PAUSE * SAMPLE_RATE), np.float32)
    scores = np.empty((len(recordings), len(words)))
    for row, recording in zip(scores, recordings, strict=True):
        heard = np.concatenate([pause, at_8_khz(recording.signal, recording.sample_rate), pause])
        frames = torch.from_numpy(log_probs(network, heard))[:, None]
        row[:] = [-_loss(frames, target) for target in targets]
    return scores


def _loss(frames: torch.Tensor, target: torch.Tensor) -> float:
    lengths = torch.tensor([len(frames)]), torch.tensor([target.shape[1]])
    return float(torch.nn.functional.ctc_loss(frames, target, *lengths, blank=BLANK, reduction="sum"))


def balancing(scores: np.ndarray, temperature: float = TEMPERATURE, spread: float = SPREAD) -> np.ndarray:
    """Offsets that make all words about equally frequent among the answers.

    With offsets b the posterior of word w for recording i is a softmax of (score + b) / temperature. The offsets are
    the unique minimum of a convex function, minus the log probability of the recordings if every word is as frequent as
    the others, plus a penalty of squares: words of 150 random digits are not equally frequent to the last one.

    Args:
        scores: ``(n_recordings, n_words)`` natural logarithms, see :func:`word_scores`.
        temperature: that the scores are divided by; a network is surer of whole words than it is right.
        spread: of the offsets, in units of the temperature; infinite for shares that are exactly equal.

    Returns:
        ``(n_words,)`` in nats, with mean 0.

    Raises:
        CourseError: fewer recordings than words, which say nothing about how frequent a word is; or a score that is no
            finite number.
    """
    n_recordings, n_words = np.shape(scores)
    if n_recordings < n_words or not np.isfinite(scores).all():
        raise CourseError(
            f"Finite scores of at least {n_words} recordings were expected, one for each word, and {n_recordings} came"
            f"{'' if np.isfinite(scores).all() else ', some of them not finite'}. Let the caller say more first."
        )
    softened = np.asarray(scores, float) / temperature

    def surprise(offsets: np.ndarray) -> tuple[float, np.ndarray]:
        shifted = softened + offsets
        totals = np.logaddexp.reduce(shifted, axis=1)
        expected = np.exp(shifted - totals[:, None]).sum(axis=0)
        value = totals.sum() - n_recordings * offsets.mean() + offsets @ offsets / (2 * spread**2)
        return value, expected - n_recordings / n_words + offsets / spread**2

    found = scipy.optimize.minimize(surprise, np.zeros(n_words), jac=True, method="BFGS", options={"gtol": 1e-7})
    return temperature * (found.x - found.x.mean())


def labelled(
    network: CtcNetwork, alphabet: Alphabet, recordings: Sequence[Recording], words: Sequence[str] = DIGITS
) -> list[Recording]:
    """The recordings, their texts replaced by the network's own answers, all about equally frequent.

    Args:
        network, alphabet, recordings, words: as for :func:`word_scores`; the recordings' texts are not looked at.
    """
    scores = word_scores(network, alphabet, recordings, words)
    best = (scores + balancing(scores)).argmax(axis=1)
    return [replace(recording, text=words[number]) for recording, number in zip(recordings, best, strict=True)]


def adapted(
    network: CtcNetwork,
    alphabet: Alphabet,
    heard: Sequence[Recording],
    others: Sequence[Recording],
    steps: int = STEPS,
    seed: int = 0,
) -> CtcNetwork:
    """A copy of the network that has learned from a new speaker's recordings without their transcripts.

    Half of the training strings are the new speaker's, by the labels of :func:`labelled`; half are said by those whom
    the network knows, so that wrong labels do not lead it away.

    Args:
        network: trained, in evaluation mode; it stays as it is.
        alphabet: its symbols.
        heard: single digits of the new speaker, at 8 kHz.
        others: transcribed single digits of others, at 8 kHz.
        steps: batches to learn from.
        seed: of the strings and their changes.

    Raises:
        CourseError: too few recordings, see :func:`balancing`, or no others.
    """
    if not others:
        raise CourseError("Recordings of others were expected and none came: pass those that the network learned from.")
    own = labelled(network, alphabet, heard)
    torch.manual_seed(seed)
    learner = copy.deepcopy(network).requires_grad_(True)
    optimiser = torch.optim.AdamW(learner.parameters(), PEAK_RATE, weight_decay=1e-2)
    strings = Strings(own, alphabet, NOISY, np.random.default_rng(seed), voices=others)
    for step in range(1, steps + 1):
        for group in optimiser.param_groups:
            group["lr"] = PEAK_RATE * learning_rate(step / steps)
        ctc_step(learner, optimiser, *strings.batch(BATCH, LONGEST))
    return learner.eval().requires_grad_(False)
