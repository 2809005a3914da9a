"""Dynamic time warping against every path there is, Dijkstra and librosa."""

import itertools

import librosa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import lil_array
from scipy.sparse.csgraph import dijkstra

from course.alignment import (
    PLAIN,
    SLOPE_LIMITED,
    SYMMETRIC,
    Step,
    Templates,
    as_frames,
    distances,
    distances_to_templates,
    dtw,
    dtw_distance,
)

PATTERNS = pytest.mark.parametrize("steps", [PLAIN, SYMMETRIC, SLOPE_LIMITED])
whole_grids = st.tuples(st.integers(1, 5), st.integers(1, 5)).flatmap(
    lambda shape: st.lists(
        st.lists(st.integers(0, 9), min_size=shape[1], max_size=shape[1]), min_size=shape[0], max_size=shape[0]
    )
)


def every_path(n_rows, n_columns, steps, cell=(0, 0)):
    """Each path from a cell to the last one, as a list of (cell, weight of the step there)."""
    if cell == (n_rows - 1, n_columns - 1):
        yield []
    for step in steps:
        onward = (cell[0] + step.rows, cell[1] + step.columns)
        if onward[0] < n_rows and onward[1] < n_columns:
            for rest in every_path(n_rows, n_columns, steps, onward):
                yield [(onward, step.weight), *rest]


def by_enumeration(costs, steps):
    paths = every_path(*costs.shape, steps)
    return min((costs[0, 0] + sum(weight * costs[cell] for cell, weight in path) for path in paths), default=np.inf)


def cost_of(path, costs, steps):
    """What a path costs, step by step; fails if one of its moves is none of the steps."""
    weights = {(step.rows, step.columns): step.weight for step in steps}
    moves = [tuple(move) for move in np.diff(path, axis=0).tolist()]
    return costs[tuple(path[0])] + sum(
        weights[move] * costs[tuple(cell)] for move, cell in zip(moves, path[1:], strict=True)
    )


@PATTERNS
@given(grid=whole_grids)
def test_the_warp_is_the_cheapest_of_all_paths(grid, steps):
    costs = np.array(grid, dtype=float)
    warp = dtw(costs, steps)
    assert warp.cost == by_enumeration(costs, steps)
    if np.isfinite(warp.cost):
        assert warp.path[0].tolist() == [0, 0] and warp.path[-1].tolist() == [len(costs) - 1, costs.shape[1] - 1]
        assert cost_of(warp.path, costs, steps) == warp.cost
    else:
        assert warp.path.shape == (0, 2)


@PATTERNS
def test_the_warp_is_dijkstras_shortest_path(steps, rng):
    costs = rng.random((12, 15))
    number = np.arange(costs.size).reshape(costs.shape)
    edges = lil_array((costs.size, costs.size))
    for (i, j), step in itertools.product(np.ndindex(costs.shape), steps):
        onward = (i + step.rows, j + step.columns)
        if onward[0] < 12 and onward[1] < 15:
            edges[number[i, j], number[onward]] = step.weight * costs[onward]
    expected = costs[0, 0] + dijkstra(edges.tocsr(), indices=0)
    assert dtw(costs, steps).accumulated.ravel() == pytest.approx(expected)


@PATTERNS
def test_cost_and_path_are_librosas(steps, rng):
    first, second = rng.standard_normal((20, 3)), rng.standard_normal((25, 3))
    costs = distances(first, second)
    accumulated, path = librosa.sequence.dtw(
        C=costs,
        step_sizes_sigma=np.array([step[:2] for step in steps]),
        weights_mul=np.array([step.weight for step in steps], dtype=float),
        weights_add=np.zeros(len(steps)),
    )
    warp = dtw(costs, steps)
    assert warp.cost == pytest.approx(accumulated[-1, -1])
    assert warp.path.tolist() == path[::-1].tolist()


def test_distances_are_norms_of_differences(rng):
    first, second = rng.standard_normal((4, 7)), rng.standard_normal((6, 7))
    expected = np.linalg.norm(first[:, None] - second[None], axis=2)
    assert distances(first, second) == pytest.approx(expected)
    assert np.diag(distances(1e3 * first, 1e3 * first)) == pytest.approx(0, abs=1e-3)


@given(st.lists(st.integers(-9, 9), min_size=1, max_size=12), st.integers(1, 3))
def test_a_slower_copy_costs_nothing(values, factor):
    first = np.array(values, dtype=float)[:, None]
    slower = np.repeat(first, factor, axis=0)
    assert dtw(distances(first, slower), PLAIN).cost == 0
    assert dtw_distance(first, slower) == dtw_distance(slower, first) == 0


@PATTERNS
def test_all_templates_at_once_are_each_alone(steps, rng):
    word = rng.standard_normal((11, 5))
    sequences = [rng.standard_normal((n, 5)) for n in (1, 7, 11, 30)]
    each = [dtw_distance(word, sequence, steps) for sequence in sequences]
    assert distances_to_templates(word, Templates.of(sequences), steps) == pytest.approx(np.array(each))


def test_symmetric_steps_weigh_every_path_the_same():
    assert dtw(np.ones((5, 9)), SYMMETRIC).cost == 5 + 9 - 1
    assert {sum(weight for _, weight in path) for path in every_path(4, 5, SYMMETRIC)} == {4 + 5 - 2}


def test_where_no_slope_fits_there_is_no_path():
    assert dtw(np.ones((3, 9)), SLOPE_LIMITED).cost == np.inf
    assert dtw(np.ones((1, 1)), SLOPE_LIMITED).path.tolist() == [[0, 0]]


def test_ties_go_to_the_step_named_first():
    assert dtw(np.zeros((3, 3)), PLAIN).path.tolist() == [[0, 0], [1, 1], [2, 2]]


@pytest.mark.parametrize(
    ("frames", "error", "words"),
    [
        (np.zeros((0, 3)), ValueError, r"\(0, 3\)"),
        (np.zeros(5), ValueError, r"frames\[:, None\]"),
        ([], ValueError, "at least one"),
        ([[1.0, np.nan]], ValueError, "1 NaN or infinite"),
        ([["a"]], TypeError, "real numbers"),
        ([[1j]], TypeError, "complex"),
    ],
)
def test_frames_that_are_none_are_refused(frames, error, words):
    with pytest.raises(error, match=words):
        as_frames(frames)


def test_other_mistakes_get_a_sentence():
    with pytest.raises(ValueError, match="3 and 4 came"):
        distances(np.zeros((2, 3)), np.zeros((2, 4)))
    with pytest.raises(ValueError, match="none came"):
        Templates.of([])
    for steps in ((), (Step(0, 0, 1),), (Step(-1, 1, 1),)):
        with pytest.raises(ValueError, match="move on in time"):
            dtw(np.ones((2, 2)), steps)
