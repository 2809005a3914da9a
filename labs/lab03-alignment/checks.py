"""Hidden checks of Lab 3. They run outside of the student's process, on inputs drawn for each submission.

What an answer has to be comes from enumerating every path where that is possible, from hmmlearn and finite differences
where it is not, and for the recogniser from the words that were said. Digits are recorded ones where the corpus is
there, and synthesised otherwise.
"""

import itertools
from functools import cache

import numpy as np
from hmmlearn.base import BaseHMM
from hmmlearn.hmm import GaussianHMM

from course.features import deltas, mfcc, normalise
from course.lab.checking import check, covers, expect, latitude, oracle
from course.recordings import DIGITS, digits

FLOOR = 0.05
SLOW = 20.0  # seconds for a call that may ask a stand-in for every frame
TRAINING = 40.0  # seconds for a call that may train ten models with stand-ins
# Of each pair of speakers, one is easily recognised after training on the other five, and one is not.
UNHEARD = (("george", "nicolas"), ("jackson", "lucas"), ("theo", "yweweler"))
NAMES = "means", "variances", "log_transition"
ENOUGH = 0.5  # the reference: 0.67 to 0.90; the nearest of all recordings after warping: 0.57 to 0.77; by chance: 0.1


def _probabilities(rng, *shape):
    """Rows that add up to 1."""
    return rng.dirichlet(np.ones(shape[-1]), shape[:-1])


def _log(probabilities):
    with np.errstate(divide="ignore"):
        return np.log(probabilities)


# Task 1: accumulated_cost


@oracle("accumulated_cost")
def accumulated_cost(distance):
    """The recursion along anti-diagonals, whose cells do not depend on each other."""
    distance = np.asarray(distance, dtype=float)
    if distance.ndim != 2 or distance.size == 0 or np.isnan(distance).any():
        raise ValueError(f"An array of shape {distance.shape} is no table of costs, or a cost is NaN.")
    n, m = distance.shape
    total = np.full((n + 1, m + 1), np.inf)
    total[0, 0] = 0
    for diagonal in range(n + m - 1):
        i = np.arange(max(0, diagonal - m + 1), min(n, diagonal + 1))
        j = diagonal - i
        before = np.stack([total[i, j], total[i, j + 1], total[i + 1, j]])
        total[i + 1, j + 1] = distance[i, j] + before.min(axis=0)
    return total[1:, 1:]


@cache
def _alignments(n, m):
    """Every path of steps (1, 1), (1, 0), (0, 1) from (0, 0) to (n - 1, m - 1), each a tuple of pairs."""
    if (n, m) == (1, 1):
        return (((0, 0),),)
    before = ((n - 1, m - 1), (n - 1, m), (n, m - 1))
    return tuple(
        (*path, (n - 1, m - 1)) for rows, columns in before if rows and columns for path in _alignments(rows, columns)
    )


def _cheapest(distance):
    """The smallest sum over all paths, each tried."""
    return min(sum(distance[cell] for cell in path) for path in _alignments(*distance.shape))


@check(
    "accumulated_cost",
    hint="Try every path through a small table by hand: one step down, right or on the diagonal at a time.",
)
def costs_what_the_best_of_all_paths_costs(student, rng):
    for n, m in ((2, 2), (3, 4), (5, 3), (5, 5), (2, 7)):
        distance = rng.uniform(0, 1, (n, m))
        total = expect.array(student(distance), (n, m))
        for i, j in itertools.product(range(n), range(m)):
            expect.close(total[i, j], _cheapest(distance[: i + 1, : j + 1]), atol=1e-9)


@check(
    "accumulated_cost",
    hint="Tables of one row or one column have one path only, and a table of one cell costs what that cell costs.",
)
def adds_up_single_rows_and_columns(student, rng):
    row = rng.uniform(0, 5, (1, int(rng.integers(3, 9))))
    expect.close(student(row), np.cumsum(row, axis=1), atol=1e-9)
    expect.close(student(row.T), np.cumsum(row.T, axis=0), atol=1e-9)
    expect.close(student(row[:, :1]), row[:, :1], atol=0)


@check(
    "accumulated_cost", hint="Align the two recordings the other way round: the table is turned, nothing else changes."
)
def does_not_care_who_is_first(student, rng):
    distance = rng.uniform(0, 1, (int(rng.integers(4, 12)), int(rng.integers(12, 20))))
    expect.close(student(distance), accumulated_cost(distance), atol=1e-9)
    expect.close(student(distance.T), accumulated_cost(distance).T, atol=1e-9)


@check("accumulated_cost", hint="Integer costs are costs too, and infinity does not fit into an integer.")
def takes_integers(student, rng):
    distance = rng.integers(0, 10, (6, 8))
    expect.close(student(distance), accumulated_cost(distance), atol=1e-9)


@check(
    "accumulated_cost",
    hint="Forbid pairs with np.inf: paths go round them, and a cell that no path reaches costs np.inf, not NaN.",
)
def goes_round_forbidden_pairs(student, rng):
    distance = rng.uniform(0, 1, (9, 7))
    distance[rng.random((9, 7)) < 0.35] = np.inf
    expect.close(student(distance), accumulated_cost(distance), atol=1e-9)
    expect.close(student(np.full((2, 3), np.inf)), np.full((2, 3), np.inf))


@check(
    "accumulated_cost",
    hint="Recordings of 5 s, 500 frames each, have 250,000 pairs: fill in each cell once, and compute no cell anew.",
)
def fills_large_tables(student, rng):
    distance = rng.uniform(0, 1, (500, 480))
    expect.close(student(distance, seconds=SLOW), accumulated_cost(distance), atol=1e-6)


@check("accumulated_cost", hint="Go through what the docstring says raises ValueError: dimensions, no cells, NaN.")
def refuses_what_is_no_table(student, rng):
    for wrong in (np.zeros((0, 3)), np.zeros((3, 0)), np.zeros(4), np.zeros((2, 2, 2)), np.array([[0.1, np.nan]])):
        expect.raises(student, ValueError, wrong)


# Task 2: dtw_path


@oracle("dtw_path")
def dtw_path(distance):
    """Back from the end by comparing each cell's cost with those before it."""
    total = accumulated_cost(distance)
    if not np.isfinite(total[-1, -1]):
        raise ValueError("Nothing leads to the end of this table.")
    walled = np.pad(total, ((1, 0), (1, 0)), constant_values=np.inf)
    i, j = total.shape
    path = []
    while (i, j) != (1, 1):
        path.append((i - 1, j - 1))
        steps = ((1, 1), (1, 0), (0, 1))
        down, right = steps[int(np.argmin([walled[i - a, j - b] for a, b in steps]))]
        i, j = i - down, j - right
    return np.array([*path, (0, 0)][::-1])


@covers("dtw_path")
def has_a_path(distance):
    """Infinite costs below 0 and tables in which everything is equal to infinity are nobody's alignment."""
    return not np.any(np.asarray(distance) == -np.inf)


def _preferred(distance):
    """Of all cheapest paths, the one that going back takes the diagonal first, then the step in i; each is tried."""
    order = {(1, 1): 0, (1, 0): 1, (0, 1): 2}

    def steps_back(path):
        return [order[a[0] - b[0], a[1] - b[1]] for b, a in itertools.pairwise(path)][::-1]

    best = _cheapest(distance)
    cheapest = [path for path in _alignments(*distance.shape) if sum(distance[cell] for cell in path) == best]
    return np.array(min(cheapest, key=steps_back))


@check(
    "dtw_path",
    hint="Add up the distances along your path: they have to come to the accumulated cost of the last cell.",
)
def takes_the_best_of_all_paths(student, rng):
    for n, m in ((2, 3), (4, 4), (6, 3), (3, 6), (5, 5)):
        distance = rng.uniform(0, 1, (n, m))
        expect.close(student(distance), _preferred(distance), atol=0)


@check(
    "dtw_path",
    hint="With equal costs the stated order decides at each step back: diagonal, then (i - 1, j), then (i, j - 1).",
)
def keeps_the_order_of_ties(student, rng):
    for n, m in ((2, 2), (3, 5), (5, 3), (4, 4), (5, 5), (4, 5)):
        expect.close(student(np.zeros((n, m))), _preferred(np.zeros((n, m))), atol=0)
        for _ in range(3):
            distance = rng.integers(0, 3, (n, m)).astype(float)
            expect.close(student(distance), _preferred(distance), atol=0)


@check(
    "dtw_path",
    hint="One row, one column, one cell: going back must stay inside the table. Indices of -1 mean its other end.",
)
def stays_inside_the_table(student, rng):
    for n, m in ((1, 1), (1, 6), (6, 1)):
        expect.close(student(rng.uniform(1, 2, (n, m))), _preferred(np.zeros((n, m))), atol=0)
    cheap_ends = np.ones((5, 6))
    cheap_ends[-1], cheap_ends[:, -1] = 0, 0
    expect.close(student(cheap_ends), dtw_path(cheap_ends), atol=0)


@check("dtw_path", hint="Return one array (n_pairs, 2) of integers, so that it can be used as indices.")
def returns_pairs_of_integers(student, rng):
    path = expect.array(student(rng.uniform(0, 1, (12, 9))), (None, 2))
    expect.dtype(path, "int")


@check(
    "dtw_path",
    hint="Try longer recordings, whole numbers as distances, and distances of a thousandth or of a million.",
)
def follows_long_recordings(student, rng):
    for scale in (1e-3, 1.0, 1e6):
        distance = scale * rng.uniform(0, 1, (60, 85))
        expect.close(student(distance, seconds=SLOW), dtw_path(distance), atol=0)
    whole = rng.integers(0, 4, (30, 40))
    expect.close(student(whole), dtw_path(whole), atol=0)


@check(
    "dtw_path",
    hint="With forbidden pairs (np.inf) the path goes round them; where it cannot, or without a table: ValueError.",
)
def goes_round_walls_or_refuses(student, rng):
    n = 12
    band = np.abs(np.subtract.outer(np.arange(n), np.arange(n))) <= 2
    distance = np.where(band, rng.uniform(0, 1, (n, n)), np.inf)
    expect.close(student(distance), dtw_path(distance), atol=0)
    distance[int(rng.integers(3, 9))] = np.inf
    for wrong in (distance, np.full((1, 1), np.inf), np.zeros((0, 2)), np.zeros(3), np.array([[np.nan]])):
        expect.raises(student, ValueError, wrong)


# Task 3: log_sum_exp


@oracle("log_sum_exp")
def log_sum_exp(values, axis=-1):
    """Two at a time, as NumPy adds logarithms."""
    return np.logaddexp.reduce(np.asarray(values, dtype=float), axis=axis)


@covers("log_sum_exp")
def can_be_added(values, axis=-1):
    """Arrays with that axis, finite or -inf."""
    values = np.asarray(values)
    fits = isinstance(axis, int) and -values.ndim <= axis < values.ndim
    return fits and not np.any(np.isnan(values) | (values == np.inf))


@latitude("log_sum_exp")
def adds_up_alike(arguments, reference, given):
    """A single result may be a number or an array without dimensions."""
    if np.shape(reference) != np.shape(given):
        return False
    with np.errstate(invalid="ignore"):
        near = np.abs(np.subtract(reference, given)) <= 1e-7 * np.maximum(np.abs(reference), 1)
    return bool(np.all(near | np.equal(reference, given)))


@check("log_sum_exp", hint="The logarithms of some numbers give the logarithm of their sum.")
def adds_up_whole_numbers(student, rng):
    for size in (1, 2, 5, 40):
        numbers = rng.integers(1, 1000, size)
        expect.close(student(np.log(numbers), 0), np.log(numbers.sum()), atol=1e-9)


@check(
    "log_sum_exp",
    hint="Add a constant, large or very negative, to all values: the result moves by exactly that constant.",
)
def moves_with_its_values(student, rng):
    values = rng.standard_normal(9)
    base = log_sum_exp(values)
    for shift in (-1e5, -800.0, 800.0, 1e5):
        expect.close(student(values + shift, -1), base + shift, atol=1e-7)
    apart = np.array([-2000.0, 0.0, -np.inf, 1500.0])
    expect.close(student(rng.permutation(apart), 0), 1500.0, atol=1e-9)


@check("log_sum_exp", hint="Choose the axis with its own maximum along it; values far apart in two rows must not meet.")
def keeps_rows_apart(student, rng):
    table = rng.standard_normal((3, 4, 5)) + rng.choice([-2000.0, 0.0, 2000.0], (3, 4, 1))
    for axis in (0, 1, 2, -1, -2):
        expect.close(student(table, axis), log_sum_exp(table, axis), atol=1e-7)
    expect.close(student(table[:, :1], 2), log_sum_exp(table[:, :1], 2), atol=1e-7)
    wide = np.array([[0.0, -3000.0], [-3000.0, 0.0], [-np.inf, -5000.0]])
    expect.close(student(wide, 1), [0.0, 0.0, -5000.0], atol=1e-9)


@check(
    "log_sum_exp",
    hint="-inf is the logarithm of 0: among others it changes nothing, alone it stays -inf; nothing at all is 0 too.",
)
def knows_zero(student, rng):
    table = np.log(rng.uniform(0.1, 1, (4, 3)))
    table[1, 2], table[2] = -np.inf, -np.inf
    expect.close(student(table, 1), log_sum_exp(table, 1), atol=1e-9)
    expect.close(student(table, 0), log_sum_exp(table, 0), atol=1e-9)
    expect.close(student(np.full(3, -np.inf), 0), -np.inf)
    expect.close(student(np.zeros(0), -1), -np.inf)
    expect.close(student(np.zeros((3, 0)), 1), np.full(3, -np.inf))


@check("log_sum_exp", hint="Whole numbers come as well: exp of an integer array is fine, filling one with -inf is not.")
def takes_whole_numbers(student, rng):
    values = rng.integers(-900, 900, (3, 6))
    expect.close(student(values, 1), log_sum_exp(values), atol=1e-8)
    expect.close(student(values[:, :1], 1), values[:, 0], atol=1e-9)


# Tasks 4 to 6: forward, viterbi, posteriors


@oracle("forward")
def forward(log_emission, log_initial, log_transition):
    """NumPy's own addition of logarithms, frame by frame."""
    log_emission, log_initial = np.asarray(log_emission, dtype=float), np.asarray(log_initial, dtype=float)
    n_states = log_initial.size
    fits = log_emission.shape == (len(log_emission), n_states) and np.shape(log_transition) == (n_states, n_states)
    if len(log_emission) == 0 or not fits:
        raise ValueError(f"Frames {log_emission.shape} and transitions {np.shape(log_transition)} do not fit.")
    rows = [log_initial + log_emission[0]]
    for frame in log_emission[1:]:
        rows.append(np.logaddexp.reduce(rows[-1] + np.transpose(log_transition), axis=1) + frame)
    return np.array(rows)


@oracle("viterbi")
def viterbi(log_emission, log_initial, log_transition):
    """All best scores first; then back from the end, by asking again which state they came from."""
    if len(log_emission) == 0:
        raise ValueError("There is no frame to begin with.")
    scores = [np.asarray(log_initial, dtype=float) + log_emission[0]]
    for frame in log_emission[1:]:
        scores.append((scores[-1] + np.transpose(log_transition)).max(axis=1) + frame)
    log_prob = float(scores[-1].max())
    if log_prob == -np.inf:
        raise ValueError("These frames have probability 0 along every path.")
    path = [int(scores[-1].argmax())]
    for before in scores[-2::-1]:
        path.insert(0, int(np.argmax(before + log_transition[:, path[0]])))
    return np.array(path), log_prob


@oracle("posteriors")
def posteriors(log_emission, log_initial, log_transition):
    """Forward variables of the recording and of the recording turned round."""
    ahead = forward(log_emission, log_initial, log_transition)
    total = np.logaddexp.reduce(ahead[-1])
    if total == -np.inf:
        raise ValueError("A recording of probability 0 says nothing about its states.")
    emission, n_states = np.asarray(log_emission), len(log_initial)
    behind = forward(emission[::-1], np.zeros(n_states), np.transpose(log_transition))[::-1]  # with b of its own frame
    leaving = ahead[:-1, :, np.newaxis] + log_transition + behind[1:, np.newaxis, :]
    after = np.vstack(
        [np.logaddexp.reduce(log_transition + behind[1:, np.newaxis, :], axis=2), np.zeros((1, n_states))]
    )
    return np.exp(ahead + after - total), np.exp(leaving - total).sum(axis=0)


def _model(rng, n_frames, n_states, zeros=0.0):
    """Logarithms of random emissions, of a random start and of random transitions, of which some are impossible."""
    initial, transition = _probabilities(rng, n_states), _probabilities(rng, n_states, n_states)
    transition = np.where(rng.random(transition.shape) < zeros, 0, transition) + 1e-300 * np.eye(n_states)
    transition /= transition.sum(axis=1, keepdims=True)
    return np.log(rng.uniform(0.01, 3, (n_frames, n_states))), _log(initial), _log(transition)


def _one_way(rng, n_frames, n_states):
    """A left-right chain that begins in state 0."""
    stay = rng.uniform(0.3, 0.9, n_states)
    transition = np.diag(stay) + np.diag(1 - stay[:-1], 1)
    transition[-1, -1] = 1
    return rng.normal(-5, 3, (n_frames, n_states)), _log(np.eye(n_states)[0]), _log(transition)


def _paths(log_emission, log_initial, log_transition):
    """Every sequence of states with its log probability: (n_paths, n_frames), (n_paths,)."""
    n_frames, n_states = log_emission.shape
    paths = np.array(list(itertools.product(range(n_states), repeat=n_frames)))
    scores = log_initial[paths[:, 0]] + log_emission[np.arange(n_frames), paths].sum(axis=1)
    return paths, scores + log_transition[paths[:, :-1], paths[:, 1:]].sum(axis=1)


def _total(log_values):
    return np.logaddexp.reduce(log_values)


class _Scored(BaseHMM):
    """hmmlearn's algorithms on emissions that are given."""

    def _compute_log_likelihood(self, X):
        return X


def _hmmlearn(log_emission, log_initial, log_transition):
    """hmmlearn's model with these chances; it takes the emissions in place of frames."""
    model = _Scored(len(log_initial))
    model.startprob_, model.transmat_ = np.exp(log_initial), np.exp(log_transition)
    return model


@check(
    "forward",
    hint="For three frames and two states write down all eight paths: alpha adds up those that end in a state.",
)
def adds_up_all_paths(student, rng):
    for n_frames, n_states in ((1, 3), (2, 2), (4, 3), (6, 2), (5, 1)):
        model = _model(rng, n_frames, n_states)
        log_alpha = expect.array(student(*model), (n_frames, n_states))
        for t in range(n_frames):
            paths, scores = _paths(model[0][: t + 1], *model[1:])
            ends = [_total(scores[paths[:, -1] == state]) for state in range(n_states)]
            expect.close(log_alpha[t], ends, atol=1e-8)


@check("forward", hint="The last row, added up, is the log-likelihood of the recording, which hmmlearn knows as well.")
def agrees_with_hmmlearn(student, rng):
    for n_frames, n_states in ((12, 4), (40, 6)):
        model = _model(rng, n_frames, n_states)
        log_alpha = expect.array(student(*model), (n_frames, n_states), "float")
        expect.close(_total(log_alpha[-1]), _hmmlearn(*model).score(model[0]), atol=1e-7)


@check("forward", hint="Some steps are impossible: -inf goes through the recursion without becoming NaN.")
def keeps_impossible_states_impossible(student, rng):
    model = _one_way(rng, 9, 5)
    expect.close(student(*model), forward(*model), atol=1e-8)
    holes = _model(rng, 8, 4, zeros=0.5)
    holes[0][rng.random((8, 4)) < 0.3] = -np.inf
    holes[0][3] = 0.0
    expect.close(student(*holes), forward(*holes), atol=1e-8)
    silent = np.full((3, 4), -np.inf)
    expect.close(student(silent, *holes[1:]), silent)


@check(
    "forward",
    hint="Go on for some hundred frames: a product of so many densities leaves the range of floating point.",
)
def stands_long_recordings(student, rng):
    for level in (-60.0, 40.0):
        emission, initial, transition = _model(rng, 400, 3)
        expect.close(
            student(emission + level, initial, transition, seconds=SLOW),
            forward(emission + level, initial, transition),
            atol=1e-6,
        )


@check("forward", hint="Raise ValueError without frames, and where frames, start and transitions do not fit.")
def refuses_models_that_do_not_fit(student, rng):
    emission, initial, transition = _model(rng, 4, 3)
    expect.raises(student, ValueError, emission[:0], initial, transition)
    expect.raises(student, ValueError, emission[:, :2], initial, transition)
    expect.raises(student, ValueError, emission[:, :1], initial, transition)
    expect.raises(student, ValueError, emission, initial[:1], transition)
    expect.raises(student, ValueError, emission, initial, transition[:2])
    expect.raises(student, ValueError, emission, initial, transition[:, :1])


def _best(model):
    """The best of all paths; of equally good ones the smallest states from the end on."""
    paths, scores = _paths(*model)
    equal = paths[scores == scores.max()]
    return np.array(min(equal.tolist(), key=lambda path: path[::-1])), scores.max()


def _pair(given, n_frames):
    """A path and its log probability, with their form checked."""
    expect.true(isinstance(given, (tuple, list)) and len(given) == 2, "Return two things: the path and its log_prob.")
    path = expect.array(given[0], (n_frames,), "int", hint="The path is an array of one integer for each frame.")
    return path, expect.number(given[1], hint="log_prob is one number.")


@check("viterbi", hint="For a few frames try all paths: yours has to be the best, and log_prob what it comes to.")
def finds_the_best_of_all_paths(student, rng):
    for n_frames, n_states in ((1, 4), (2, 2), (4, 3), (7, 2), (5, 1), (5, 3)):
        model = _model(rng, n_frames, n_states)
        path, log_prob = _pair(student(*model), n_frames)
        want, score = _best(model)
        expect.close(path, want, atol=0)
        expect.close(log_prob, score, atol=1e-8)


@check("viterbi", hint="Decode longer recordings: hmmlearn finds the same log probability.")
def agrees_with_hmmlearn_on_longer_ones(student, rng):
    for n_frames, n_states in ((30, 3), (60, 6)):
        model = _model(rng, n_frames, n_states)
        path, log_prob = _pair(student(*model), n_frames)
        score, want = _hmmlearn(*model).decode(model[0])
        expect.close(log_prob, score, atol=1e-7)
        expect.close(path, want, atol=0)


@check("viterbi", hint="A chain that never goes back gives a path that never goes back, from where it begins.")
def never_goes_back_in_one_way_chains(student, rng):
    for n_frames, n_states in ((3, 5), (20, 4)):
        model = _one_way(rng, n_frames, n_states)
        path, log_prob = _pair(student(*model), n_frames)
        want, score = viterbi(*model)
        expect.close(path, want, atol=0)
        expect.close(log_prob, score, atol=1e-8)


@check("viterbi", hint="Of equally good paths: the smallest last state first, then back, the smallest before it.")
def keeps_the_order_of_equal_paths(student, rng):
    for n_frames, n_states in ((3, 2), (4, 3), (5, 3), (6, 2)):
        for _ in range(4):
            model = (
                rng.integers(-2, 1, (n_frames, n_states)).astype(float),
                rng.integers(-1, 1, n_states).astype(float),
                rng.integers(-2, 1, (n_states, n_states)).astype(float),
            )
            path, log_prob = _pair(student(*model), n_frames)
            want, score = _best(model)
            expect.close(path, want, atol=0)
            expect.close(log_prob, score, atol=1e-9)


@check("viterbi", hint="Some hundred frames, very improbable ones or very dense ones: do you still compare logarithms?")
def decodes_long_recordings(student, rng):
    for level in (-60.0, 40.0):
        emission, initial, transition = _model(rng, 400, 4)
        path, log_prob = _pair(student(emission + level, initial, transition, seconds=SLOW), 400)
        want, score = viterbi(emission + level, initial, transition)
        expect.close(log_prob, score, atol=1e-6)
        expect.close(path, want, atol=0)


@check("viterbi", hint="No frames, or no path that explains them all: raise ValueError with a message.")
def refuses_what_no_path_explains(student, rng):
    emission, initial, transition = _one_way(rng, 3, 4)
    expect.raises(student, ValueError, emission[:0], initial, transition)
    out_of_reach = emission.copy()
    out_of_reach[2, :3] = -np.inf
    expect.raises(student, ValueError, out_of_reach, initial, transition)
    expect.raises(student, ValueError, np.full((1, 4), -np.inf), initial, transition)


def _beliefs(given, n_frames, n_states):
    """gamma and counts, with their shapes checked."""
    expect.true(isinstance(given, (tuple, list)) and len(given) == 2, "Return two things: gamma and counts.")
    gamma = expect.array(
        given[0], (n_frames, n_states), hint="gamma has a row for each frame, a column for each state."
    )
    return gamma, expect.array(given[1], (n_states, n_states), hint="counts has a row and a column for each state.")


def _expected(model):
    """gamma and counts as means over all paths, each weighted by its probability."""
    paths, scores = _paths(*model)
    weights = np.exp(scores - _total(scores))
    states = np.eye(model[0].shape[1])[paths]
    return np.einsum("p,pti->ti", weights, states), np.einsum("p,pti,ptj->ij", weights, states[:, :-1], states[:, 1:])


@check(
    "posteriors",
    hint="List all paths of a short recording with their probabilities: gamma is the share of those through a state.",
)
def weighs_all_paths(student, rng):
    for n_frames, n_states in ((2, 2), (4, 3), (6, 2), (5, 3), (4, 1)):
        model = _model(rng, n_frames, n_states)
        gamma, _ = _beliefs(student(*model), n_frames, n_states)
        expect.close(gamma, _expected(model)[0], atol=1e-8)


@check(
    "posteriors",
    hint="T frames make T - 1 steps: counts add up to that, and entry [i, j] is a step from i to j, not the other way.",
)
def counts_the_steps_of_all_paths(student, rng):
    for n_frames, n_states in ((1, 3), (2, 2), (4, 3), (6, 2), (5, 3)):
        model = _model(rng, n_frames, n_states)
        _, counts = _beliefs(student(*model), n_frames, n_states)
        expect.close(counts, _expected(model)[1], atol=1e-8)


@check("posteriors", hint="Compare gamma of a longer recording with hmmlearn's predict_proba.")
def agrees_with_hmmlearn_on_states(student, rng):
    for n_frames, n_states in ((25, 4), (50, 3)):
        model = _model(rng, n_frames, n_states)
        gamma, _ = _beliefs(student(*model), n_frames, n_states)
        expect.close(gamma, _hmmlearn(*model).predict_proba(model[0]), atol=1e-8)


@check(
    "posteriors",
    hint="Raise one log transition a little: the log-likelihood grows by the expected number of such steps times that.",
)
def counts_what_the_likelihood_feels(student, rng):
    emission, initial, transition = _model(rng, 30, 3)
    _, counts = _beliefs(student(emission, initial, transition), 30, 3)
    slopes = np.zeros((3, 3))
    for place in itertools.product(range(3), range(3)):
        nudge = np.zeros((3, 3))
        nudge[place] = 1e-5
        up, down = (_total(forward(emission, initial, transition + way * nudge)[-1]) for way in (1, -1))
        slopes[place] = (up - down) / 2e-5
    expect.close(counts, slopes, atol=1e-5)


@check("posteriors", hint="What no path does has the probability 0, exactly; NaN comes from -inf minus -inf.")
def gives_impossible_things_no_weight(student, rng):
    model = _one_way(rng, 9, 5)
    model[0][4, 2] = -np.inf
    want = posteriors(*model)
    gamma, counts = _beliefs(student(*model), 9, 5)
    expect.close(gamma, want[0], atol=1e-8)
    expect.close(counts, want[1], atol=1e-8)
    expect.true(np.all(gamma[want[0] == 0] == 0) and np.all(counts[want[1] == 0] == 0))
    short = _one_way(rng, 2, 4)
    gamma, counts = _beliefs(student(*short), 2, 4)
    expect.close(gamma, _expected(short)[0], atol=1e-8)
    expect.close(counts, _expected(short)[1], atol=1e-8)


@check("posteriors", hint="Try some hundred frames: gamma's rows still add up to 1, whatever the likelihood is.")
def stays_sure_of_long_recordings(student, rng):
    for level in (-60.0, 40.0):
        emission, initial, transition = _model(rng, 300, 3)
        model = emission + level, initial, transition
        gamma, counts = _beliefs(student(*model, seconds=SLOW), 300, 3)
        want = posteriors(*model)
        expect.close(gamma, want[0], atol=1e-7)
        expect.close(counts, want[1], atol=1e-5)


@check("posteriors", hint="Probability 0, no frames, shapes that do not fit: raise ValueError with a message.")
def refuses_impossible_recordings(student, rng):
    emission, initial, transition = _one_way(rng, 4, 3)
    expect.raises(student, ValueError, np.full((2, 3), -np.inf), initial, transition)
    late = emission.copy()
    late[0, 0] = -np.inf
    expect.raises(student, ValueError, late, initial, transition)
    expect.raises(student, ValueError, emission[:0], initial, transition)
    expect.raises(student, ValueError, emission[:, :2], initial, transition)


# Task 7: em_step


def _log_gaussian(frames, means, variances):
    """Log density by the expanded square, in extended precision; frames may have any number of axes."""
    frames, inverse = np.asarray(frames, dtype=np.longdouble), 1 / np.asarray(variances, dtype=np.longdouble)
    square = frames**2 @ inverse.T - 2 * frames @ (means * inverse).T + np.sum(means**2 * inverse, axis=1)
    return (-0.5 * (square + np.sum(np.log(2 * np.pi * variances), axis=1))).astype(float)


@oracle("em_step")
def em_step(frames, lengths, means, variances, log_transition):
    """All recordings at once: they are padded with frames of density 1, in states that nobody asks about."""
    frames, lengths = np.asarray(frames, dtype=float), np.asarray(lengths)
    if lengths.size == 0 or lengths.min() < 1 or lengths.sum() != len(frames):
        raise ValueError(f"{lengths} are not the lengths of recordings that have {len(frames)} frames together.")
    means, variances = np.asarray(means, dtype=float), np.asarray(variances, dtype=float)
    n_states, longest = len(means), lengths.max()
    inside = np.arange(longest) < lengths[:, np.newaxis]
    emission = np.zeros((lengths.size, longest, n_states))
    emission[inside] = _log_gaussian(frames, means, variances)
    ahead, behind = np.full((2, *emission.shape), -np.inf)
    ahead[:, 0, 0] = emission[:, 0, 0]
    for t in range(1, longest):
        ahead[:, t] = np.logaddexp.reduce(ahead[:, t - 1, :, np.newaxis] + log_transition, axis=1) + emission[:, t]
    behind[np.arange(lengths.size), lengths - 1] = 0
    totals = np.logaddexp.reduce(ahead[np.arange(lengths.size), lengths - 1], axis=1)
    if np.any(totals == -np.inf):
        raise ValueError("A recording has probability 0.")
    counts = np.zeros((n_states, n_states))
    for t in range(longest - 2, -1, -1):
        going = log_transition + (emission[:, t + 1] + behind[:, t + 1])[:, np.newaxis]
        onwards = inside[:, t + 1]
        behind[onwards, t] = np.logaddexp.reduce(going, axis=2)[onwards]
        steps = np.exp(ahead[:, t, :, np.newaxis] + going - totals[:, np.newaxis, np.newaxis])
        counts += steps[onwards].sum(axis=0)
    gamma = np.exp(ahead + behind - totals[:, np.newaxis, np.newaxis])[inside]
    return *_gaussians(frames, gamma, means, variances), _chain(counts, log_transition), float(totals.sum())


def _gaussians(frames, gamma, means, variances):
    """Weighted means and variances of each state; those of before where nothing is expected."""
    new_means, new_variances = means.copy(), variances.copy()
    for state, weights in enumerate(gamma.T):
        if weights.sum() > 0:
            new_means[state] = np.average(frames, axis=0, weights=weights)
            spread = np.average((frames - new_means[state]) ** 2, axis=0, weights=weights)
            new_variances[state] = np.maximum(spread, FLOOR)
    return new_means, new_variances


def _chain(counts, log_transition):
    """Shares of each row of counts, as logarithms; a row without counts as before."""
    chain = np.array(log_transition, dtype=float)
    for state, row in enumerate(counts):
        if row.sum() > 0:
            chain[state] = _log(row / row.sum())
    return chain


def _left_right(rng, n_states):
    return _one_way(rng, 1, n_states)[2]


def _spoken(rng, n_recordings, n_states, n_features=3, shortest=8, longest=16):
    """Recordings that go through states of their own: frames and lengths."""
    lengths = rng.integers(shortest, longest, n_recordings)
    targets = rng.normal(0, 1.5, (n_states, n_features))
    parts = [targets[np.arange(length) * n_states // length] for length in lengths]
    frames = np.concatenate(parts)
    return frames + rng.normal(0, 0.7, frames.shape), lengths


def _guess(rng, frames, n_states):
    """Means near some frames, variances near 1, transitions to the right."""
    means = frames[rng.choice(len(frames), n_states, replace=False)] + rng.normal(0, 0.1, (n_states, frames.shape[1]))
    return means, rng.uniform(0.5, 1.5, means.shape), _left_right(rng, n_states)


def _stepped(student, frames, lengths, model, **limits):
    """One call: means, variances, transitions, log-likelihood, with their form checked."""
    given = student(frames, lengths, *model, **limits)
    expect.true(
        isinstance(given, (tuple, list)) and len(given) == 4, "Return four things, as the docstring lists them."
    )
    n_states = len(model[0])
    for one, shape, name in zip(given, (model[0].shape, model[1].shape, (n_states, n_states)), NAMES, strict=False):
        expect.shape(one, shape, hint=f"The shape of the new {name} is not that of the given ones.")
    means, variances = (expect.array(one, dtype="float") for one in given[:2])
    chain = expect.array(given[2], dtype="float", finite=False)
    expect.true(not np.isnan(chain).any())
    return means, variances, chain, expect.number(given[3], hint="The log-likelihood is one finite number.")


def _likelihood(frames, lengths, model):
    """The log-likelihood of recordings; -inf or NaN, and no error, for whatever a student made of a model."""
    means, variances, chain = model
    begin = _log(np.eye(len(means))[0])
    with np.errstate(all="ignore"):
        emissions = [_log_gaussian(part, means, variances) for part in _apart(frames, lengths)]
        return sum(_total(forward(emission, begin, chain)[-1]) for emission in emissions)


def _same_model(given, want, atol=1e-6):
    for one, other in zip(given[:2], want[:2], strict=True):
        expect.close(one, other, atol=atol)
    expect.close(np.exp(given[2]), np.exp(want[2]), atol=atol)
    expect.close(given[3], want[3], atol=1e-6, rtol=1e-9)


@check(
    "em_step",
    hint="Repeat your step on a model of your own: the log-likelihood that it reports may stay or grow, never fall.",
)
def never_lowers_the_likelihood(student, rng):
    for n_states, n_recordings in ((1, 2), (2, 3), (3, 4), (4, 5), (3, 1)):
        frames, lengths = _spoken(rng, n_recordings, n_states)
        model, reached = _guess(rng, frames, n_states), -np.inf
        for _ in range(5):
            *better, log_likelihood = _stepped(student, frames, lengths, model)
            true = _likelihood(frames, lengths, model)
            expect.close(
                log_likelihood, true, atol=1e-6, hint="The log-likelihood is that of the model that was given."
            )
            expect.true(log_likelihood >= reached - 1e-7)
            expect.true(np.all(better[1] >= FLOOR - 1e-12), "A variance is below VARIANCE_FLOOR.")
            model, reached = better, log_likelihood


@check("em_step", hint="One step of hmmlearn from the same model gives the same means, variances and transitions.")
def steps_as_hmmlearn_does(student, rng):
    frames, lengths = _spoken(rng, 4, 3)
    means, variances, chain = _guess(rng, frames, 3)
    model = means, variances + 5, chain  # wide, so that each state gets frames: hmmlearn errs below 1e-5 of one
    theirs = GaussianHMM(3, params="tmc", init_params="", n_iter=1, covars_prior=0, implementation="log")
    theirs.startprob_, theirs.transmat_ = np.eye(3)[0], np.exp(model[2])
    theirs.means_, theirs.covars_ = model[0], model[1]
    theirs.fit(frames, lengths)
    want = theirs.means_, np.maximum(theirs._covars_, FLOOR), _log(theirs.transmat_), theirs.monitor_.history[0]
    _same_model(_stepped(student, frames, lengths, model), want)


@check(
    "em_step",
    hint="Take a recording of four frames, list all paths with their probabilities, and average the frames by hand.",
)
def averages_over_all_paths(student, rng):
    for n_states in (1, 2, 3):
        frames, lengths = rng.normal(0, 1, (5, 2)), np.array([5])
        model = _guess(rng, frames, n_states)
        scored = _log_gaussian(frames, *model[:2]), _log(np.eye(n_states)[0]), model[2]
        gamma, counts = _expected(scored)
        want = *_gaussians(frames, gamma, *model[:2]), _chain(counts, model[2]), _total(_paths(*scored)[1])
        _same_model(_stepped(student, frames, lengths, model), want)


@check(
    "em_step",
    hint="Two recordings are not one: each begins in state 0, and no step leads from the end of one into the next.",
)
def keeps_recordings_apart(student, rng):
    frames, lengths = _spoken(rng, 5, 3, shortest=2, longest=7)
    model = _guess(rng, frames, 3)
    given = _stepped(student, frames, lengths, model)
    _same_model(given, em_step(frames, lengths, *model))
    order = rng.permutation(len(lengths))
    parts = np.split(frames, np.cumsum(lengths)[:-1])
    shuffled = _stepped(student, np.concatenate([parts[one] for one in order]), lengths[order], model)
    _same_model(shuffled, given)
    twice = _stepped(student, np.concatenate([frames, frames]), np.concatenate([lengths, lengths]), model)
    _same_model(twice, (*given[:3], 2 * given[3]))


@check(
    "em_step",
    hint="Steps that were impossible stay so, all rows add up to 1, and a chain that may go everywhere still may.",
)
def keeps_the_form_of_the_chain(student, rng):
    frames, lengths = _spoken(rng, 3, 4)
    model = _guess(rng, frames, 4)
    chain = _stepped(student, frames, lengths, model)[2]
    expect.true(np.all(chain[np.exp(model[2]) == 0] == -np.inf))
    expect.close(np.exp(chain).sum(axis=1), np.ones(4), atol=1e-8)
    anywhere = *model[:2], _log(_probabilities(rng, 4, 4))
    _same_model(_stepped(student, frames, lengths, anywhere), em_step(frames, lengths, *anywhere))


@check(
    "em_step",
    hint="Recordings shorter than the chain never reach its end: what expects nothing keeps Gaussian and steps.",
)
def leaves_unreached_states_alone(student, rng):
    frames, lengths = rng.normal(0, 1, (7, 2)), np.array([2, 1, 3, 1])
    means, variances = rng.normal(0, 1, (5, 2)), rng.uniform(0.5, 1.5, (5, 2))
    model = means, variances, _left_right(rng, 5)
    given = _stepped(student, frames, lengths, model)
    _same_model(given, em_step(frames, lengths, *model))
    expect.close(given[0][3:], means[3:], atol=0)
    alone = _stepped(student, frames[:2], np.array([1, 1]), model)
    _same_model(alone, em_step(frames[:2], np.array([1, 1]), *model))


@check(
    "em_step",
    hint="Variances are about the new mean and at least VARIANCE_FLOOR, feature by feature; others are not touched.",
)
def holds_the_variance_floor(student, rng):
    frames, lengths = _spoken(rng, 3, 2, n_features=4)
    frames[:, 1] = 0.3
    frames[:, 2] *= 0.05
    frames[:, 3] += 20.0
    means = np.zeros((2, 4)) + rng.normal(0, 0.3, (2, 4)) + np.array([0, 0.3, 0, 19.0])
    model = means, np.ones((2, 4)), _left_right(rng, 2)
    given = _stepped(student, frames, lengths, model)
    _same_model(given, em_step(frames, lengths, *model))
    expect.true(np.all(given[1] >= FLOOR - 1e-12))


@check(
    "em_step",
    hint="A long recording, or frames far from every mean, have densities that floating point rounds to 0.",
)
def stands_far_and_many_frames(student, rng):
    frames, lengths = _spoken(rng, 2, 3, n_features=12, shortest=120, longest=160)
    model = _guess(rng, frames, 3)
    _same_model(_stepped(student, frames, lengths, model, seconds=SLOW), em_step(frames, lengths, *model), atol=1e-5)
    frames[:, 6:] += 40.0
    means, variances, chain = model
    means[:, 6:], variances[:, 6:] = 0, 1  # equally far from every state
    far = means, variances, chain
    _same_model(_stepped(student, frames, lengths, far, seconds=SLOW), em_step(frames, lengths, *far), atol=1e-5)


@check("em_step", hint="Go through the docstring: no recordings, one without frames, lengths that do not add up.")
def refuses_lengths_that_do_not_fit(student, rng):
    frames, lengths = _spoken(rng, 3, 2)
    model = _guess(rng, frames, 2)
    expect.raises(student, ValueError, frames, lengths[:2], *model)
    expect.raises(student, ValueError, frames, np.append(lengths, 1), *model)
    expect.raises(student, ValueError, frames, np.append(lengths, 0), *model)
    expect.raises(student, ValueError, frames, np.append(lengths, 5) - [0, 0, 0, 5], *model)
    expect.raises(student, ValueError, frames, np.array([-1, 1, len(frames)]), *model)
    expect.raises(student, ValueError, frames[:0], lengths[:0], *model)


# Task 8: recognise


@oracle("recognise")
def recognise(frames, lengths, words, unknown, unknown_lengths):
    """Models of eight states at most, four steps of EM, scored by their total likelihood."""
    frames, unknown = np.asarray(frames, dtype=float), np.asarray(unknown, dtype=float)
    if len(lengths) == 0 or len(words) != len(lengths) or np.sum(lengths) != len(frames):
        raise ValueError(f"{len(words)} words and {len(lengths)} lengths do not describe {len(frames)} frames.")
    if np.sum(unknown_lengths) != len(unknown) or frames.shape[1:] != unknown.shape[1:]:
        raise ValueError(f"Unknown frames of shape {unknown.shape} do not fit their lengths or {frames.shape}.")
    recordings = _apart(frames, lengths)
    models = {}
    for word in dict.fromkeys(words):
        models[word] = _trained([one for one, label in zip(recordings, words, strict=True) if label == word])
    return [max(models, key=lambda word: _explained(one, models[word])) for one in _apart(unknown, unknown_lengths)]


def _apart(frames, lengths):
    ends = np.cumsum(lengths, dtype=int)
    return [frames[end - length : end] for end, length in zip(ends, lengths, strict=True)]


def _trained(recordings):
    n_states = min(8, min(map(len, recordings)))
    owners = np.concatenate([np.arange(len(one)) * n_states // len(one) for one in recordings])
    frames, lengths = np.concatenate(recordings), np.array([len(one) for one in recordings])
    model = *_gaussians(frames, np.eye(n_states)[owners], *np.zeros((2, n_states, frames.shape[1]))), _steady(n_states)
    for _ in range(4):
        *model, _ = em_step(frames, lengths, *model)
    return model


def _steady(n_states):
    transition = 0.75 * np.eye(n_states) + 0.25 * np.eye(n_states, k=1)
    transition[-1, -1] = 1
    return _log(transition)


def _explained(frames, model):
    means, variances, chain = model
    return _total(forward(_log_gaussian(frames, means, variances), _log(np.eye(len(means))[0]), chain)[-1])


@latitude("recognise")
def hears_as_well(arguments, reference, given):
    """As many words, all of them taught; which of them is for the ear to say, and two right ways may differ in some."""
    taught = set(arguments[2])
    same_form = isinstance(given, list) and len(given) == len(reference) and all(word in taught for word in given)
    return same_form and (not given or np.mean([a == b for a, b in zip(given, reference, strict=True)]) >= 0.6)


def _said(rng, word, sounds, pace, offset):
    """A made-up word: each letter is a sound that lasts ``pace`` to twice ``pace`` frames, said in a voice."""
    durations = rng.integers(pace, 2 * pace + 1, len(word))
    clean = np.repeat([sounds[letter] for letter in word], durations, axis=0)
    return clean + offset + 0.5 * rng.standard_normal(clean.shape)


def _together(recordings):
    return np.concatenate(recordings), np.array([len(one) for one in recordings])


def _lesson(rng, words, n_features=4, pace=4):
    """A function that says words in new voices with sounds of this lesson, and the recordings of ``words``."""
    sounds = dict(zip("abcd", 3.0 * np.eye(4, n_features) + rng.normal(0, 0.2, (4, n_features)), strict=True))

    def say(spoken, slower=1):
        return _together([_said(rng, word, sounds, slower * pace, rng.normal(0, 0.15, n_features)) for word in spoken])

    return say, say(words)


def _heard(student, lessons, words, asked):
    """The student's words for unknown recordings, with their form checked."""
    heard = student(*lessons, list(words), *asked, seconds=TRAINING)
    expect.true(isinstance(heard, (list, tuple)) and len(heard) == len(asked[1]), "A list with a word for each.")
    expect.true(all(isinstance(word, str) for word in heard), "Words are strings, as they were given.")
    return heard


def _shuffled(rng, words):
    return [words[place] for place in rng.permutation(len(words))]


@check(
    "recognise",
    hint="Words of the same sounds in other orders: a model that ignores when a frame comes cannot tell them apart.",
)
def hears_the_order_of_sounds(student, rng):
    words = ["abc", "acb", "bac", "bca", "cab", "cba"]
    taught = _shuffled(rng, words * 4)
    say, lessons = _lesson(rng, taught)
    asked = _shuffled(rng, words * 2)
    expect.equal(list(_heard(student, lessons, taught, say(asked))), asked)


@check(
    "recognise",
    hint="The same words three times as slowly, or in another mix of slow and fast sounds, are the same words.",
)
def hears_slow_speech(student, rng):
    words = ["abcd", "dcba", "adbc", "cbad"]
    taught = _shuffled(rng, words * 4)
    say, lessons = _lesson(rng, taught, pace=3)
    asked = _shuffled(rng, words * 2)
    expect.equal(list(_heard(student, lessons, taught, say(asked, slower=3))), asked)


@check(
    "recognise",
    hint="Words come in any order, some more often than others, and may be any strings; each is trained on its own.",
)
def hears_rare_words(student, rng):
    counts = {"abd": 12, "dab": 4, "bda": 3, "cb": 5}
    taught = _shuffled(rng, [word for word, count in counts.items() for _ in range(count)])
    say, lessons = _lesson(rng, taught, n_features=5)
    names = dict(zip(counts, _shuffled(rng, ["ja", "nein", "ja ja", "42"]), strict=True))
    asked = _shuffled(rng, list(counts) * 2)
    heard = _heard(student, lessons, [names[word] for word in taught], say(asked))
    expect.equal(list(heard), [names[word] for word in asked])


@check(
    "recognise",
    hint="Try a word with recordings of one or two frames, an unknown one of a single frame, only one word taught.",
)
def hears_very_short_recordings(student, rng):
    low, high = rng.normal(-1, 0.1, (7, 3)), rng.normal(1, 0.1, (9, 3))
    lessons = np.concatenate([low, high]), np.array([1, 4, 2, 3, 1, 5])
    words = ["low", "low", "low", "high", "high", "high"]
    asked = np.array([[1.0, 1.0, 1.0], [-1.0, -1.0, -1.0], [-0.9, -1.0, -1.1]]), np.array([1, 2])
    expect.equal(list(_heard(student, lessons, words, asked)), ["high", "low"])
    expect.equal(list(_heard(student, (low, np.array([3, 4])), ["low", "low"], asked)), ["low", "low"])


@check(
    "recognise",
    hint="A feature that never changes, in training or at all, has no variance: floor it before you divide by it.",
)
def stands_features_without_variance(student, rng):
    taught = ["ab", "ba"] * 4
    say, (frames, lengths) = _lesson(rng, taught)
    asked = ["ba", "ab", "ba"]
    unknown, unknown_lengths = say(asked)
    frames[:, 3], unknown[:, 3] = 0.0, 0.0
    expect.equal(list(_heard(student, (frames, lengths), taught, (unknown, unknown_lengths))), asked)


@check("recognise", hint="Nothing was asked: an empty list is the answer, in the same form as any other.")
def answers_nothing_with_nothing(student, rng):
    say, lessons = _lesson(rng, ["ab", "ba"])
    nothing = np.zeros((0, 4)), np.zeros(0, dtype=int)
    expect.equal(list(_heard(student, lessons, ["ab", "ba"], nothing)), [])


@cache
def _digit_frames(speaker):
    """(n_frames, 26) features of six recordings of each digit by a speaker, by word: a frame every 20 ms."""
    spoken = {word: [] for word in DIGITS}
    for recording in digits((speaker,), range(6)):
        cepstra = mfcc(recording.signal, recording.sample_rate)[::2]
        spoken[recording.text].append(normalise(np.hstack([cepstra, deltas(cepstra)])))
    return spoken


def _digits(rng, speakers, n_takes):
    """Some recordings of each digit by each speaker: frames, lengths, words."""
    chosen = [
        (_digit_frames(speaker)[word][take], word)
        for speaker in speakers
        for word in DIGITS
        for take in rng.permutation(6)[:n_takes]
    ]
    chosen = _shuffled(rng, chosen)
    return *_together([frames for frames, _ in chosen]), [word for _, word in chosen]


def _share_heard(student, rng, pair):
    """The share of the digits of two speakers that is right, each of them held out from training on the other five."""
    right = []
    for held_out in pair:
        others = [speaker for both in UNHEARD for speaker in both if speaker != held_out]
        frames, lengths, words = _digits(rng, others, 3)
        unknown, unknown_lengths, said = _digits(rng, [held_out], 4)
        heard = _heard(student, (frames, lengths), words, (unknown, unknown_lengths))
        right += [one == other for one, other in zip(heard, said, strict=True)]
    return float(np.mean(right))


@check(
    "recognise",
    hint="Of the digits of two people whom nobody trained on too few are right. Hold a speaker out, and listen.",
)
def hears_digits_of_new_people(student, rng):
    expect.true(_share_heard(student, rng, UNHEARD[int(rng.integers(3))]) >= ENOUGH)


@check(
    "recognise", hint="Go through the docstring's list: no training, words or lengths that do not fit, other features."
)
def refuses_lessons_that_do_not_fit(student, rng):
    say, (frames, lengths) = _lesson(rng, ["ab", "ba", "ab"])
    unknown, unknown_lengths = say(["ab"])
    words = ["ab", "ba", "ab"]
    good = frames, lengths, words, unknown, unknown_lengths
    expect.equal(list(_heard(student, good[:2], words, good[3:])), ["ab"])
    for place, wrong in (
        (1, lengths[:2]),
        (1, lengths + 1),
        (2, words[:2]),
        (2, [*words, "ab"]),
        (3, unknown[:-1]),
        (3, unknown[:, :3]),
        (4, unknown_lengths + 1),
        (4, np.array([], dtype=int)),
    ):
        expect.raises(student, ValueError, *good[:place], wrong, *good[place + 1 :])
    expect.raises(student, ValueError, frames[:0], lengths[:0], [], unknown, unknown_lengths)
