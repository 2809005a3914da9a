"""Expectation and maximisation: a model from recordings that nobody has segmented (Lecture 3).

Each round of Baum and Welch asks the present model how probable each state was at each frame, and then sets every
parameter to the average that these probabilities imply. No round can lower the likelihood of the recordings.

Sources: L. E. Baum, T. Petrie, G. Soules and N. Weiss, A maximization technique occurring in the statistical analysis
of probabilistic functions of Markov chains, Annals of Mathematical Statistics 41 (1970); A. P. Dempster, N. M. Laird
and D. B. Rubin, Maximum likelihood from incomplete data via the EM algorithm, Journal of the Royal Statistical Society
B 39 (1977).
"""

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.cluster.vq import kmeans2

from course.alignment import as_frames
from course.hmm.chain import Chain
from course.hmm.lattice import log_sum_exp, occupancy
from course.hmm.mixtures import Mixtures
from course.hmm.model import Hmm

KMEANS_ROUNDS = 10


@dataclass(frozen=True)
class Training:
    """What :func:`baum_welch` did.

    Attributes:
        hmm: the model after the last round.
        log_likelihoods: ``(n_rounds + 1,)`` log likelihood of all sequences, before the first round and after each.
    """

    hmm: Hmm
    log_likelihoods: np.ndarray


def uniform_states(n_frames: int, n_states: int) -> np.ndarray:
    """Frames dealt out evenly, in order: ``(n_frames,)`` int, the state of each."""
    return np.arange(n_frames) * n_states // n_frames


def first_guess(sequences, n_states: int, n_mixtures: int, variance_floor: float = 1e-2, seed: int = 0) -> Hmm:
    """A left-right model from sequences that are cut into equal parts, one part a state.

    Within a state, k-means finds the centres of the Gaussians.

    Args:
        sequences: arrays ``(n_frames, n_features)``, none with fewer frames than states.
        variance_floor: the least variance of a Gaussian, in the features' unit squared.

    Raises:
        TypeError, ValueError: no sequences, one that is too short, or fewer frames in a state than Gaussians.
    """
    sequences = _checked(sequences, n_states)
    frames = np.vstack(sequences)
    states = np.concatenate([uniform_states(len(sequence), n_states) for sequence in sequences])
    rng = np.random.default_rng(seed)
    guesses = [_cluster(frames[states == state], n_mixtures, variance_floor, rng) for state in range(n_states)]
    chain = Chain.left_right(n_states, max(len(frames) / len(sequences) / n_states, 1 + 1e-3))
    return Hmm(chain, Mixtures(*(np.array(part) for part in zip(*guesses, strict=True))))


def baum_welch(hmm: Hmm, sequences, n_rounds: int, variance_floor: float = 1e-2) -> Training:
    """Raise the likelihood of the sequences, round by round.

    Args:
        hmm: where to start, for example :func:`first_guess`; none of its variances is below the floor.
        sequences: arrays ``(n_frames, n_features)``, none so short that no path fits.
        variance_floor: the least variance of a Gaussian. Without one the likelihood has no bound: a Gaussian that
            closes in on a single frame makes it as large as one likes.

    Raises:
        TypeError, ValueError: no sequences, one that is no sequence of frames, or one that no path fits.
    """
    sequences = _checked(sequences, 1)
    frames, lengths = np.vstack(sequences), [len(sequence) for sequence in sequences]
    log_likelihoods = []
    for _ in range(n_rounds):
        counts = _expect(hmm, frames, lengths)
        log_likelihoods.append(counts.log_likelihood)
        hmm = _maximise(hmm, counts, variance_floor)
    log_likelihoods.append(sum(hmm.log_likelihood(sequence) for sequence in sequences))
    return Training(hmm, np.array(log_likelihoods))


@dataclass(frozen=True)
class _Counts:
    """What the sequences are expected to have used, summed over all of their frames.

    Attributes:
        starts: ``(n_states,)``. transitions: ``(n_states, n_states)``. components: ``(n_states, n_mixtures)``.
        sums, squares: ``(n_states, n_mixtures, n_features)`` frames, and their squares, times the probability of each
            Gaussian.
    """

    starts: np.ndarray
    transitions: np.ndarray
    components: np.ndarray
    sums: np.ndarray
    squares: np.ndarray
    log_likelihood: float


def _expect(hmm: Hmm, frames: np.ndarray, lengths: list[int]) -> _Counts:
    """The E step: how much each state, transition and Gaussian was used, as far as the model can tell."""
    components = hmm.mixtures.log_components(frames)
    emissions = log_sum_exp(components, axis=2)
    pieces = np.split(emissions, np.cumsum(lengths)[:-1])
    walks = [occupancy(hmm.chain, piece) for piece in pieces]
    states = np.vstack([walk.states for walk in walks])
    shares = np.exp(components - emissions[:, :, None]) * states[:, :, None]  # (n_frames, n_states, n_mixtures)
    flat, shape = shares.reshape(len(frames), -1).T, hmm.mixtures.means.shape
    return _Counts(
        starts=np.sum([walk.states[0] for walk in walks], axis=0),
        transitions=np.sum([walk.transitions for walk in walks], axis=0),
        components=shares.sum(axis=0),
        sums=(flat @ frames).reshape(shape),
        squares=(flat @ frames**2).reshape(shape),
        log_likelihood=sum(walk.log_likelihood for walk in walks),
    )


def _maximise(hmm: Hmm, counts: _Counts, variance_floor: float) -> Hmm:
    """The M step: the parameters under which such use is most likely. What was never used stays as it was."""
    used = counts.components[:, :, None]
    divisor = np.maximum(used, np.finfo(float).tiny)
    means = np.where(used > 0, counts.sums / divisor, hmm.mixtures.means)
    variances = np.where(used > 0, counts.squares / divisor - means**2, hmm.mixtures.variances)
    chain = Chain(
        _log_shares(counts.starts, hmm.chain.log_start),
        _log_shares(counts.transitions, hmm.chain.log_transitions),
        hmm.chain.log_end,
    )
    log_weights = _log_shares(counts.components, hmm.mixtures.log_weights)
    return Hmm(chain, Mixtures(log_weights, means, np.maximum(variances, variance_floor)))


def _log_shares(counts: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    """Logarithms of counts divided by their sum over the last axis; ``otherwise`` where that sum is 0."""
    sums = counts.sum(axis=-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(sums > 0, np.log(counts / sums), otherwise)


def _cluster(frames: np.ndarray, n_mixtures: int, floor: float, rng) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log weights, means and variances of the clusters that k-means finds in the frames of one state."""
    if len(frames) < n_mixtures:
        raise ValueError(
            f"At least {n_mixtures} frames a state were expected, one for each Gaussian, and {len(frames)} came. "
            "Give more recordings or use fewer Gaussians."
        )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="One of the clusters is empty")  # such a one gets all frames, below
        _, labels = kmeans2(frames, _spread_out(frames, n_mixtures, rng), iter=KMEANS_ROUNDS, minit="matrix")
    groups = [frames[labels == k] for k in range(n_mixtures)]
    groups = [group if len(group) else frames for group in groups]
    weights = np.array([len(group) for group in groups], dtype=float)
    means, variances = np.array([g.mean(axis=0) for g in groups]), np.array([g.var(axis=0) for g in groups])
    return np.log(weights / weights.sum()), means, np.maximum(variances, floor)


def _spread_out(frames: np.ndarray, n_centres: int, rng) -> np.ndarray:
    """Frames to start k-means from, each drawn with the square of its distance to those before (k-means++)."""
    centres = [frames[rng.integers(len(frames))]]
    nearest = np.full(len(frames), np.inf)
    for _ in range(n_centres - 1):
        nearest = np.minimum(nearest, np.sum((frames - centres[-1]) ** 2, axis=1))
        chance = nearest / nearest.sum() if nearest.sum() > 0 else None
        centres.append(frames[rng.choice(len(frames), p=chance)])
    return np.array(centres)


def _checked(sequences, n_states: int) -> list[np.ndarray]:
    """The sequences as arrays, each with at least ``n_states`` frames and all with the same number of features."""
    sequences = [as_frames(sequence) for sequence in sequences]
    if not sequences:
        raise ValueError("At least one sequence was expected and none came. Give a recording of the word.")
    shortest = min(len(sequence) for sequence in sequences)
    if shortest < n_states:
        raise ValueError(
            f"Sequences of at least {n_states} frames were expected, one for each state, and one of {shortest} came. "
            "Leave out recordings that are so short, or use fewer states."
        )
    if len({sequence.shape[1] for sequence in sequences}) > 1:
        raise ValueError("Sequences with equally many features were expected. Compute all with the same front end.")
    return sequences
