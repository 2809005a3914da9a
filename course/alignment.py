"""Dynamic time warping: the cheapest way to line two sequences up (Lecture 3, *Alignment*).

Two sequences of frames span a grid: cell ``(i, j)`` pairs frame ``i`` of the first with frame ``j`` of the second and
costs what the two differ by. A *path* leads from cell ``(0, 0)`` to the last cell by *steps* that never go back in
time; it says which frames belong together. Of all paths the cheapest one is found by dynamic programming: the cheapest
way into a cell is the cheapest way into one of its few predecessors, and a step.

Source: H. Sakoe and S. Chiba, Dynamic programming algorithm optimization for spoken word recognition, IEEE Transactions
on Acoustics, Speech, and Signal Processing 26 (1978).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numba
import numpy as np


class Step(NamedTuple):
    """A move on the grid: ``rows`` on in the first sequence, ``columns`` on in the second.

    The cell that it leads to counts ``weight`` times.
    """

    rows: int
    columns: int
    weight: float


# Every cell counts once: a diagonal step is then cheaper than the two steps round the corner.
PLAIN = (Step(1, 1, 1), Step(1, 0, 1), Step(0, 1, 1))
# A step weighs as much time as it takes, so that all paths through a grid weigh the same ("symmetric", P = 0).
SYMMETRIC = (Step(1, 1, 2), Step(1, 0, 1), Step(0, 1, 1))
# Neither sequence may run more than twice as fast as the other.
SLOPE_LIMITED = (Step(1, 1, 2), Step(1, 2, 3), Step(2, 1, 3))


@dataclass(frozen=True)
class Warp:
    """The cheapest path through a grid of costs.

    Attributes:
        cost: the sum of the costs along the path, each times the weight of the step that led there; infinite if the
            steps permit no path.
        path: ``(n_cells, 2)`` int, row and column of each cell on the path, first to last; ``(0, 2)`` if there is none.
        accumulated: ``(n_rows, n_columns)`` float64, the cost of the cheapest path from the first cell to each cell.
    """

    cost: float
    path: np.ndarray
    accumulated: np.ndarray


def as_frames(frames, what: str = "Frames") -> np.ndarray:
    """Return ``frames`` as float64, or say what is wrong with them.

    Args:
        frames: ``(n_frames, n_features)`` real numbers, at least one of each, all finite.
        what: the subject of the error's sentence.

    Raises:
        TypeError: no real numbers.
        ValueError: another number of dimensions, nothing in it, or NaN or infinity.
    """
    values = np.asarray(frames)
    if values.dtype.kind not in "fiu":
        raise TypeError(f"{what} were expected to be real numbers and came as {values.dtype}.")
    if values.ndim != 2 or values.size == 0:
        raise ValueError(
            f"{what} were expected with shape (n_frames, n_features), at least one of each, and came with "
            f"{values.shape}. A single feature needs an axis of its own: frames[:, None]."
        )
    if not np.isfinite(values).all():
        raise ValueError(
            f"{what} were expected to be finite and {np.count_nonzero(~np.isfinite(values))} NaN or infinite values "
            "came. Look for the logarithm of silence before this step."
        )
    return np.ascontiguousarray(values, dtype=np.float64)


def distances(first, second) -> np.ndarray:
    """The Euclidean distance of every frame of one sequence from every frame of the other.

    Args:
        first: ``(n_rows, n_features)``.
        second: ``(n_columns, n_features)``.

    Returns:
        ``(n_rows, n_columns)`` float64, in the unit of the features.

    Raises:
        TypeError, ValueError: see :func:`as_frames`; or the two differ in their number of features.
    """
    first, second = as_frames(first), as_frames(second)
    if first.shape[1] != second.shape[1]:
        raise ValueError(
            f"Sequences with equally many features were expected; {first.shape[1]} and {second.shape[1]} came. "
            "Compute both with the same front end."
        )
    squared = np.sum(first**2, axis=1)[:, None] + np.sum(second**2, axis=1) - 2 * first @ second.T
    return np.sqrt(np.maximum(squared, 0))  # rounding may leave a distance of zero slightly below it


def dtw(costs, steps: tuple[Step, ...] = SYMMETRIC) -> Warp:
    """The cheapest path from the first cell of a grid to the last.

    Args:
        costs: ``(n_rows, n_columns)`` finite costs, for example from :func:`distances`.
        steps: the moves that are allowed, such as :data:`PLAIN`, :data:`SYMMETRIC` or :data:`SLOPE_LIMITED`. Where two
            are equally cheap, the one named first is taken.

    Raises:
        TypeError, ValueError: costs that are no such grid, or steps that stand still or go back in time.
    """
    costs = as_frames(costs, "Costs")
    moves = _checked(steps)
    accumulated, arrived = _accumulate(costs, moves)
    return Warp(float(accumulated[-1, -1]), _trace_back(accumulated, arrived, moves), accumulated)


def counterparts(path) -> np.ndarray:
    """For each frame of the first sequence, the middle one of the frames of the second that a path pairs it with.

    Args:
        path: ``(n_cells, 2)``, from a pattern of steps that visits every row, such as :data:`SYMMETRIC`.

    Returns:
        ``(n_rows,)`` int.
    """
    rows, columns = np.asarray(path).T
    first, last = (
        np.searchsorted(rows, np.arange(rows[-1] + 1)),
        np.searchsorted(rows, np.arange(rows[-1] + 1), "right"),
    )
    return (columns[first] + columns[last - 1]) // 2


def dtw_distance(first, second, steps: tuple[Step, ...] = SYMMETRIC) -> float:
    """How much two sequences differ once they are lined up: the cost of the warp per frame of both together.

    With steps that weigh the time they take, such as :data:`SYMMETRIC`, this is an average distance, so that long words
    can be compared with short ones.
    """
    costs = distances(first, second)
    return dtw(costs, steps).cost / sum(costs.shape)


def distances_to_templates(frames, templates: "Templates", steps: tuple[Step, ...] = SYMMETRIC) -> np.ndarray:
    """:func:`dtw_distance` of one sequence from each of many: the same numbers, with one product of matrices.

    Args:
        frames: ``(n_frames, n_features)``.
        templates: see :class:`Templates`.

    Returns:
        ``(n_templates,)`` float64; infinite where the steps permit no path.
    """
    costs = distances(frames, templates.frames)
    totals = _accumulate_each(costs, templates.ends, _checked(steps))
    return totals / (len(frames) + np.diff(templates.ends, prepend=0))


class Templates(NamedTuple):
    """Sequences laid end to end.

    Attributes:
        frames: ``(n_frames of all, n_features)`` float64.
        ends: ``(n_templates,)`` int, where each one ends.
    """

    frames: np.ndarray
    ends: np.ndarray

    @classmethod
    def of(cls, sequences) -> "Templates":
        """Lay sequences of shape ``(n_frames, n_features)`` end to end.

        Raises:
            ValueError: no sequence, or one that is none (see :func:`as_frames`).
        """
        sequences = [as_frames(sequence) for sequence in sequences]
        if not sequences:
            raise ValueError("At least one template was expected and none came. Give one recording of each word.")
        return cls(np.vstack(sequences), np.cumsum([len(sequence) for sequence in sequences]))


def _checked(steps: tuple[Step, ...]) -> np.ndarray:
    moves = np.array(steps, dtype=np.float64)
    if moves.ndim != 2 or moves.shape[1] != 3 or (moves[:, :2] < 0).any() or (moves[:, :2].sum(axis=1) < 1).any():
        raise ValueError(f"Steps (rows, columns, weight) that move on in time were expected and {steps} came.")
    return moves


@numba.njit
def _accumulate(costs, moves):
    """Cost of the cheapest path into each cell, and the number of the move that ends it (-1: no path)."""
    n_rows, n_columns = costs.shape
    accumulated = np.full((n_rows, n_columns), np.inf)
    arrived = np.full((n_rows, n_columns), -1, np.int64)
    accumulated[0, 0] = costs[0, 0]
    for i in range(n_rows):
        for j in range(n_columns):
            for m in range(len(moves)):
                before_i, before_j = i - int(moves[m, 0]), j - int(moves[m, 1])
                if before_i >= 0 and before_j >= 0:
                    candidate = accumulated[before_i, before_j] + moves[m, 2] * costs[i, j]
                    if candidate < accumulated[i, j]:
                        accumulated[i, j] = candidate
                        arrived[i, j] = m
    return accumulated, arrived


@numba.njit
def _accumulate_each(costs, ends, moves):
    """The cost of the cheapest path through each of the grids that lie side by side in ``costs``."""
    totals = np.empty(len(ends))
    start = 0
    for k in range(len(ends)):
        totals[k] = _accumulate(costs[:, start : ends[k]], moves)[0][-1, -1]
        start = ends[k]
    return totals


def _trace_back(accumulated: np.ndarray, arrived: np.ndarray, moves: np.ndarray) -> np.ndarray:
    """The path, from the last cell back to the first along the moves that were cheapest."""
    if not np.isfinite(accumulated[-1, -1]):
        return np.empty((0, 2), dtype=np.int64)
    cell = np.array(arrived.shape) - 1
    path = [cell]
    while cell.any():
        cell = cell - moves[arrived[tuple(cell)], :2].astype(np.int64)
        path.append(cell)
    return np.array(path[::-1])
