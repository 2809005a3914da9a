"""The sum over all alignments, in log space: CTC's forward and backward scores, loss and gradient (Lecture 5).

Shapes: ``n_frames`` frames, ``n_symbols`` symbols, ``n_states = 2 * len(target) + 1`` states of the lattice.

Source: A. Graves, S. Fernandez, F. Gomez and J. Schmidhuber, Connectionist temporal classification, ICML 2006,
sections 4.1 and 4.2. Backward scores here leave out the symbol of their own frame, so that forward and backward add up.
"""

from collections.abc import Sequence

import numpy as np

from course.ctc.lattice import BLANK, frames_needed, may_skip, with_blanks

IMPOSSIBLE = -np.inf  # the logarithm of probability 0


def forward_scores(log_probs, target: Sequence[int], blank: int = BLANK) -> np.ndarray:
    """For each frame and state, the log of the summed probability of all ways to be there.

    Args:
        log_probs: ``(n_frames, n_symbols)`` log probabilities; every row sums to 1 once exponentiated.
        target: labels, none of them the blank.
        blank: number of the blank.

    Returns:
        ``(n_frames, n_states)`` float64; ``-inf`` where nothing leads.

    Raises:
        TypeError, ValueError: see :func:`checked`.
    """
    log_probs = checked(log_probs, target, blank)
    states, skips = with_blanks(target, blank), skip_weights(target, blank)
    forward = np.full((len(log_probs), len(states)), IMPOSSIBLE)
    forward[:1, :2] = log_probs[:1, states[:2]]  # a path starts in the first blank or the first label
    for t in range(1, len(log_probs)):
        padded = np.concatenate([[IMPOSSIBLE, IMPOSSIBLE], forward[t - 1]])
        stay, step, skip = padded[2:], padded[1:-1], padded[:-2] + skips
        forward[t] = np.logaddexp(np.logaddexp(stay, step), skip) + log_probs[t, states]
    return forward


def skip_weights(target: Sequence[int], blank: int = BLANK) -> np.ndarray:
    """For each state, 0 if a path may come to it past a blank, and ``-inf`` if not: ``(n_states,)``."""
    states = with_blanks(target, blank)
    return np.array([0.0 if may_skip(states, s) else IMPOSSIBLE for s in range(len(states))])


def sources(states: Sequence[int], s: int) -> list[int]:
    """The states from which a path may come to state ``s``: itself, the one before, and perhaps the one before that."""
    before = [s] if s == 0 else [s, s - 1]
    return [*before, s - 2] if may_skip(states, s) else before


def backward_scores(log_probs, target: Sequence[int], blank: int = BLANK) -> np.ndarray:
    """For each frame and state, the log of the summed probability of all ways on from there to the end.

    The symbol of the frame itself is not counted; arguments, result and errors as for :func:`forward_scores`.
    """
    log_probs = checked(log_probs, target, blank)
    states, skips = with_blanks(target, blank), skip_weights(target, blank)
    backward = np.full((len(log_probs), len(states)), IMPOSSIBLE)
    backward[-1:, -2:] = 0.0  # a path ends in the last label or the last blank
    for t in range(len(log_probs) - 2, -1, -1):
        onward = backward[t + 1] + log_probs[t + 1, states]
        padded = np.concatenate([onward, [IMPOSSIBLE, IMPOSSIBLE]])
        skip = np.concatenate([onward + skips, [IMPOSSIBLE, IMPOSSIBLE]])[2:]
        backward[t] = np.logaddexp(np.logaddexp(onward, padded[1:-1]), skip)
    return backward


def ctc_loss(log_probs, target: Sequence[int], blank: int = BLANK) -> float:
    """Minus the log of the probability that a path means ``target``, in nats.

    Infinite if the target needs more frames than there are; 0 for an empty target in no frames. Arguments and errors
    as for :func:`forward_scores`.
    """
    forward = forward_scores(log_probs, target, blank)
    if len(forward) == 0:
        return 0.0 if len(target) == 0 else np.inf
    return float(-np.logaddexp.reduce(forward[-1, -2:]))


def occupancy(log_probs, target: Sequence[int], blank: int = BLANK) -> np.ndarray:
    """For each frame and symbol, the share of the target's probability that passes through it.

    Args:
        log_probs, target, blank: as for :func:`forward_scores`.

    Returns:
        ``(n_frames, n_symbols)``; every row sums to 1.

    Raises:
        ValueError: also if no alignment of the target is possible, so that there is nothing to share.
    """
    loss = ctc_loss(log_probs, target, blank)
    log_probs = checked(log_probs, target, blank)
    if np.isinf(loss):
        raise ValueError(
            f"An alignment was expected to be possible, and {len(target)} labels that need {frames_needed(target)} "
            f"frames came with {len(log_probs)}, or with symbols of probability 0. Use more frames or smooth the "
            "probabilities."
        )
    shares = np.exp(forward_scores(log_probs, target, blank) + backward_scores(log_probs, target, blank) + loss)
    by_symbol = np.zeros_like(log_probs)
    np.add.at(by_symbol.T, with_blanks(target, blank), shares.T)
    return by_symbol


def ctc_gradient(log_probs, target: Sequence[int], blank: int = BLANK) -> np.ndarray:
    """Slope of the loss with respect to the logits whose softmax the probabilities are: what the network is told.

    It is what the network says minus what the alignments share: ``softmax - occupancy``. Arguments and errors as for
    :func:`occupancy`; ``(n_frames, n_symbols)``, and every row sums to 0.
    """
    log_probs = checked(log_probs, target, blank)
    return np.exp(log_probs) - occupancy(log_probs, target, blank)


def checked(log_probs, target: Sequence[int], blank: int) -> np.ndarray:
    """The log probabilities as float64, after a look at everything that people get wrong.

    Raises:
        TypeError: labels that are not whole numbers.
        ValueError: a wrong shape, NaN, rows that are not log probabilities, or a label that is no symbol or the blank.
    """
    array = np.asarray(log_probs, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] < 1:
        raise ValueError(
            f"Log probabilities (n_frames, n_symbols) were expected, and {array.shape} came: pass one utterance."
        )
    if np.isnan(array).any():
        raise ValueError("Log probabilities were expected and NaN came. Look for the logarithm of a negative number.")
    totals = np.logaddexp.reduce(array, axis=1)
    if array.size and np.abs(totals).max() > 1e-3:
        furthest = np.exp(totals[np.abs(totals).argmax()])
        raise ValueError(
            f"Every frame's probabilities were expected to sum to 1, and one frame's sum to {furthest:.4g}. "
            "Pass logits through log_softmax, and probabilities through log, first."
        )
    labels = np.asarray(target)
    if labels.size and labels.dtype.kind not in "iu":
        raise TypeError(f"Labels were expected as whole numbers and came as {labels.dtype}. Encode the text first.")
    symbols = array.shape[1]
    if not 0 <= blank < symbols or any(not 0 <= label < symbols or label == blank for label in labels):
        raise ValueError(
            f"Labels were expected between 0 and {symbols - 1} and other than the blank, {blank}, and "
            f"{[int(label) for label in labels]} came. Encode the text with the alphabet of the network."
        )
    return array
