"""The transducer: CTC's sum over alignments with a memory of what was written (Lecture 5).

At frame ``t``, after ``u`` labels, a distribution over symbols says what comes next: a label, written at once, or the
blank, which goes on to frame ``t + 1``. A path writes all labels and leaves the last frame with a blank.

Source: A. Graves, Sequence transduction with recurrent neural networks, 2012, sections 2.4 and 2.6.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations

import numpy as np

BLANK = 0
IMPOSSIBLE = -np.inf


def forward_scores(log_probs, target: Sequence[int], blank: int = BLANK) -> np.ndarray:
    """For each frame and count of labels, the log of the summed probability of all ways to be there.

    Args:
        log_probs: ``(n_frames, len(target) + 1, n_symbols)``; the last axis sums to 1 once exponentiated.
        target: labels, none of them the blank.
        blank: number of the blank.

    Returns:
        ``(n_frames, len(target) + 1)`` float64.

    Raises:
        ValueError: see :func:`checked`.
    """
    log_probs = checked(log_probs, target, blank)
    n_frames, n_places, _ = log_probs.shape
    forward = np.full((n_frames, n_places), IMPOSSIBLE)
    for t in range(n_frames):
        for u in range(n_places):
            from_blank = forward[t - 1, u] + log_probs[t - 1, u, blank] if t else IMPOSSIBLE
            from_label = forward[t, u - 1] + log_probs[t, u - 1, target[u - 1]] if u else IMPOSSIBLE
            forward[t, u] = 0.0 if t == u == 0 else np.logaddexp(from_blank, from_label)
    return forward


def backward_scores(log_probs, target: Sequence[int], blank: int = BLANK) -> np.ndarray:
    """For each frame and count of labels, the log of the summed probability of all ways on to the end.

    Arguments, result and errors as for :func:`forward_scores`.
    """
    log_probs = checked(log_probs, target, blank)
    n_frames, n_places, _ = log_probs.shape
    backward = np.full((n_frames, n_places), IMPOSSIBLE)
    for t in range(n_frames - 1, -1, -1):
        for u in range(n_places - 1, -1, -1):
            all_done = 0.0 if u == n_places - 1 else IMPOSSIBLE  # the last frame is left with all labels written
            by_blank = log_probs[t, u, blank] + (backward[t + 1, u] if t < n_frames - 1 else all_done)
            by_label = log_probs[t, u, target[u]] + backward[t, u + 1] if u < n_places - 1 else IMPOSSIBLE
            backward[t, u] = np.logaddexp(by_blank, by_label)
    return backward


def transducer_loss(log_probs, target: Sequence[int], blank: int = BLANK) -> float:
    """Minus the log of the summed probability of all paths that write ``target``, in nats.

    No target is too long: any number of labels fits into one frame. In no frames, nothing is certain and anything else
    impossible. Arguments and errors as for :func:`forward_scores`.
    """
    log_probs = checked(log_probs, target, blank)
    if len(log_probs) == 0:
        return np.inf if len(target) else 0.0
    return float(-(forward_scores(log_probs, target, blank)[-1, -1] + log_probs[-1, -1, blank]))


def transducer_gradient(log_probs, target: Sequence[int], blank: int = BLANK) -> np.ndarray:
    """Slope of the loss with respect to each log probability: minus the share of paths that take it.

    Arguments and errors as for :func:`forward_scores`; the result has the shape of ``log_probs``.
    """
    log_probs = checked(log_probs, target, blank)
    gradient = np.zeros_like(log_probs)
    if len(log_probs) == 0:
        return gradient
    forward, backward = forward_scores(log_probs, target, blank), backward_scores(log_probs, target, blank)
    total = backward[0, 0]
    after_blank = np.full_like(backward, IMPOSSIBLE)
    after_blank[:-1], after_blank[-1, -1] = backward[1:], 0.0
    gradient[:, :, blank] = -np.exp(forward + log_probs[:, :, blank] + after_blank - total)
    for u, label in enumerate(target):
        gradient[:, u, label] = -np.exp(forward[:, u] + log_probs[:, u, label] + backward[:, u + 1] - total)
    return gradient


def occupancy(log_probs, target: Sequence[int], blank: int = BLANK) -> np.ndarray:
    """For each frame and count of labels, the share of the target's probability that passes through it.

    Every path crosses the lattice once on each diagonal, so the shares sum to 1 along those. Arguments and errors as
    for :func:`forward_scores`; ``(n_frames, len(target) + 1)``.
    """
    both = forward_scores(log_probs, target, blank) + backward_scores(log_probs, target, blank)
    return np.exp(both - both[0, 0]) if both.size else both


def every_path(n_labels: int, n_frames: int) -> Iterator[tuple[tuple[int, int, bool], ...]]:
    """All ways through the lattice, each as moves ``(frame, labels written, whether a label is written now)``.

    There are ``C(n_frames - 1 + n_labels, n_labels)``: every choice of the moves that write; the last is a blank.
    """
    n_moves = n_frames - 1 + n_labels
    for writing in combinations(range(n_moves), n_labels) if n_frames else ():
        moves, t, u = [], 0, 0
        for move in range(n_moves + 1):
            writes = move in writing
            moves.append((t, u, writes))
            t, u = (t, u + 1) if writes else (t + 1, u)
        yield tuple(moves)


def greedy_stream(
    frames: Iterable,
    join: Callable[[object, tuple[int, ...]], np.ndarray],
    blank: int = BLANK,
    most_per_frame: int = 5,
) -> Iterator[tuple[int, int]]:
    """Write labels while the frames come in, each as soon as it is likelier than going on.

    Args:
        frames: encoded frames in the order of time; each is looked at once, so they may still be on their way.
        join: from a frame and the labels so far to log probabilities ``(n_symbols,)``.
        blank: number of the blank.
        most_per_frame: labels after which a frame is left in any case.

    Yields:
        The number of the frame, and the label written in it.
    """
    written: tuple[int, ...] = ()
    for t, frame in enumerate(frames):
        for _ in range(most_per_frame):
            symbol = int(np.argmax(join(frame, written)))
            if symbol == blank:
                break
            written += (symbol,)
            yield t, symbol


def checked(log_probs, target: Sequence[int], blank: int) -> np.ndarray:
    """The log probabilities as float64.

    Raises:
        ValueError: a wrong shape, NaN, distributions that do not sum to 1, or a label that is no symbol or the blank.
    """
    array = np.asarray(log_probs, dtype=np.float64)
    if array.ndim != 3 or array.shape[1] != len(target) + 1:
        raise ValueError(
            f"Log probabilities (n_frames, {len(target) + 1}, n_symbols) were expected for {len(target)} labels, and "
            f"{array.shape} came: one row is needed before the first label and one after each."
        )
    if np.isnan(array).any() or (array.size and np.abs(np.logaddexp.reduce(array, axis=2)).max() > 1e-3):
        raise ValueError("Log probabilities that sum to 1 were expected and others came. Apply log_softmax first.")
    if any(not 0 <= label < array.shape[2] or label == blank for label in target):
        raise ValueError(
            f"Labels were expected between 0 and {array.shape[2] - 1} and other than the blank, {blank}, and "
            f"{list(target)} came. Encode the text with the alphabet of the network."
        )
    return array
