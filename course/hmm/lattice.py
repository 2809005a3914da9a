"""Sums and maxima over all paths through a lattice of states and frames, in log space (Lecture 3).

The lattice has a node for each state at each frame. A path takes one node per frame; its log probability is the sum of
one start, the transitions, one end, and what each of its nodes gives to the frame there. There are
``n_states ** n_frames`` paths, and each function below visits ``n_frames * n_states ** 2`` transitions.
"""

import math
from typing import NamedTuple

import numba
import numpy as np

from course.hmm.chain import Chain


class Occupancy(NamedTuple):
    """Where a walk was, given all frames.

    Attributes:
        states: ``(n_frames, n_states)`` probability of each state at each frame; rows sum to 1.
        transitions: ``(n_states, n_states)`` how often each transition is expected to have been used.
        log_likelihood: log probability of the frames, summed over all paths.
    """

    states: np.ndarray
    transitions: np.ndarray
    log_likelihood: float


def forward(chain: Chain, log_emissions) -> np.ndarray:
    """The log probability of the first frames and of being in each state after them.

    Args:
        log_emissions: ``(n_frames, n_states)`` log likelihood of each frame in each state, at least one frame; ``-inf``
            where a state cannot emit it.

    Returns:
        ``(n_frames, n_states)`` float64. Row ``t`` has seen the frames 0 to ``t``.

    Raises:
        ValueError: emissions of another shape, or NaN in them.
    """
    return _forward(chain.log_start, chain.log_transitions, _checked(chain, log_emissions))


def backward(chain: Chain, log_emissions) -> np.ndarray:
    """The log probability of the frames to come and of ending where it is allowed, from each state.

    Returns:
        ``(n_frames, n_states)`` float64. Row ``t`` has seen the frames ``t + 1`` to the last, none in the last row.

    Raises:
        ValueError: see :func:`forward`.
    """
    return _backward(chain.log_transitions, chain.log_end, _checked(chain, log_emissions))


def total(chain: Chain, alphas: np.ndarray) -> float:
    """The log likelihood of all frames, out of the last row of :func:`forward`; ``-inf`` if no path fits."""
    return float(log_sum_exp(alphas[-1] + chain.log_end))


def viterbi(chain: Chain, log_emissions) -> tuple[float, np.ndarray]:
    """The best path and its log probability.

    Returns:
        The log probability of the path and the frames together, and ``(n_frames,)`` int, its states. If no path fits,
        for example because there are fewer frames than a left-right chain has states, ``-inf`` and no states, ``(0,)``.

    Raises:
        ValueError: see :func:`forward`.
    """
    emissions = _checked(chain, log_emissions)
    best, came_from = _viterbi(chain.log_start, chain.log_transitions, emissions)
    scores = best[-1] + chain.log_end
    if not np.isfinite(scores.max()):
        return -np.inf, np.empty(0, dtype=np.int64)
    states = [np.argmax(scores)]
    for sources in came_from[:0:-1]:
        states.append(sources[states[-1]])
    return float(scores.max()), np.array(states[::-1])


def occupancy(chain: Chain, log_emissions) -> Occupancy:
    """The probability of each state at each frame, and the expected number of transitions, given all frames.

    Raises:
        ValueError: see :func:`forward`; or no path fits the frames, so that there is nothing to be shared out.
    """
    emissions = _checked(chain, log_emissions)
    alphas = _forward(chain.log_start, chain.log_transitions, emissions)
    betas = _backward(chain.log_transitions, chain.log_end, emissions)
    log_likelihood = total(chain, alphas)
    if not np.isfinite(log_likelihood):
        raise ValueError(
            f"A path through {chain.n_states} states that fits was expected, and none leads through {len(emissions)} "
            "frames. Give a longer recording or use fewer states."
        )
    arriving = (emissions + betas)[1:, None, :] - log_likelihood
    steps = np.exp(alphas[:-1, :, None] + chain.log_transitions + arriving)  # (n_frames - 1, from, to)
    return Occupancy(np.exp(alphas + betas - log_likelihood), steps.sum(axis=0), log_likelihood)


def log_sum_exp(values, axis: int | None = None) -> np.ndarray:
    """``log(sum(exp(values)))`` without leaving the range of a float64; ``-inf`` if all values are."""
    values = np.asarray(values, dtype=np.float64)
    largest = np.max(values, axis=axis, keepdims=True)
    largest = np.where(np.isfinite(largest), largest, 0.0)
    with np.errstate(divide="ignore"):
        logs = np.log(np.sum(np.exp(values - largest), axis=axis, keepdims=True)) + largest
    return np.squeeze(logs, axis=axis)


def _checked(chain: Chain, log_emissions) -> np.ndarray:
    emissions = np.ascontiguousarray(log_emissions, dtype=np.float64)
    if emissions.ndim != 2 or len(emissions) == 0 or emissions.shape[1] != chain.n_states:
        raise ValueError(
            f"Log likelihoods of shape (n_frames, {chain.n_states}) with at least one frame were expected, and "
            f"{emissions.shape} came."
        )
    if np.isnan(emissions).any():
        raise ValueError(f"{np.isnan(emissions).sum()} of the log likelihoods are NaN. Look for NaN in the features.")
    return emissions


@numba.njit
def _forward(log_start, log_transitions, emissions):
    n_frames, n_states = emissions.shape
    alphas = np.empty((n_frames, n_states))
    arriving = np.empty(n_states)
    for state in range(n_states):
        alphas[0, state] = log_start[state] + emissions[0, state]
    for t in range(1, n_frames):
        for state in range(n_states):
            for source in range(n_states):
                arriving[source] = alphas[t - 1, source] + log_transitions[source, state]
            alphas[t, state] = _log_of_sum(arriving) + emissions[t, state]
    return alphas


@numba.njit
def _backward(log_transitions, log_end, emissions):
    n_frames, n_states = emissions.shape
    betas = np.empty((n_frames, n_states))
    leaving = np.empty(n_states)
    for state in range(n_states):
        betas[n_frames - 1, state] = log_end[state]
    for t in range(n_frames - 2, -1, -1):
        for state in range(n_states):
            for target in range(n_states):
                step = log_transitions[state, target] + emissions[t + 1, target]
                leaving[target] = step + betas[t + 1, target]
            betas[t, state] = _log_of_sum(leaving)
    return betas


@numba.njit
def _log_of_sum(values):
    """:func:`log_sum_exp` of one vector, for the two recursions."""
    largest = -np.inf
    for value in values:
        largest = max(largest, value)
    if largest == -np.inf:
        return largest
    summed = 0.0
    for value in values:
        if value > -np.inf:  # most are: a left-right chain allows two steps from each state
            summed += math.exp(value - largest)
    return largest + math.log(summed)


@numba.njit
def _viterbi(log_start, log_transitions, emissions):
    """The best log probability of each node, and the state before it on the best way there."""
    n_frames, n_states = emissions.shape
    best = np.empty((n_frames, n_states))
    came_from = np.zeros((n_frames, n_states), np.int64)
    for state in range(n_states):
        best[0, state] = log_start[state] + emissions[0, state]
    for t in range(1, n_frames):
        for state in range(n_states):
            best[t, state] = -np.inf
            for source in range(n_states):
                score = best[t - 1, source] + log_transitions[source, state] + emissions[t, state]
                if score > best[t, state]:
                    best[t, state] = score
                    came_from[t, state] = source
    return best, came_from
