"""Hidden checks of Lab 5. They run outside of the student's process, on inputs drawn for each submission.

What an answer has to be comes from enumerating every path where that is possible, from finite differences of such
sums, from a lattice written as a matrix where it is not, and for the trained model from the labels that were said.
"""

import itertools

import numpy as np

from course.lab.checking import CheckFailed, check, covers, expect, latitude, oracle

BLANK = 0
SLOW = 20.0  # seconds for a call that may ask a stand-in for every frame
TRAINING = 40.0  # seconds for a call that may ask a stand-in for every recording and step
MOST_ERRORS = 0.15  # the reference: 0.01 to 0.07 over 24 lessons, plain steps: up to 0.12; who writes nothing: 1


def _log(probabilities):
    with np.errstate(divide="ignore"):
        return np.log(probabilities)


def _said(rng, n_frames, n_symbols, sharpness=1.5):
    """Log probabilities of a network that is fairly sure of something in each frame."""
    return _log_softmax(rng.normal(0, sharpness, (n_frames, n_symbols)))


def _log_softmax(scores):
    scores = np.asarray(scores, dtype=float)
    return scores - np.logaddexp.reduce(scores, axis=-1, keepdims=True)


def _means(path):
    """What a path of numbers means, by groups."""
    return [symbol for symbol, _ in itertools.groupby(path) if symbol != BLANK]


def _all_paths(log_probs):
    """Every path as a tuple, with its log probability."""
    n_frames, n_symbols = log_probs.shape
    for path in itertools.product(range(n_symbols), repeat=n_frames):
        yield path, float(sum(log_probs[t, symbol] for t, symbol in enumerate(path)))


def _enumerated(log_probs):
    """Text to the log of the sum over its paths, each tried."""
    sums = {}
    for path, score in _all_paths(log_probs):
        sums.setdefault(tuple(_means(path)), []).append(score)
    return {text: float(np.logaddexp.reduce(scores)) for text, scores in sums.items()}


# Task 1: collapse


@oracle("collapse")
def collapse(path, blank):
    """By groups of equal symbols."""
    return [int(symbol) for symbol, _ in itertools.groupby(path) if symbol != blank]


def _labels(given):
    """A list of whole numbers, with its form checked."""
    expect.true(isinstance(given, list), "Return a list, not an array, a tuple or a text.")
    expect.true(all(isinstance(one, int) and not isinstance(one, bool) for one in given), "Labels are integers.")
    return given


@check("collapse", hint="Draw paths with few symbols: runs of a label merge, but not across a blank.")
def merges_then_removes(student, rng):
    for n_symbols in (2, 3, 5):
        for length in (3, 8, 30):
            path = rng.integers(0, n_symbols, length).tolist()
            expect.equal(_labels(student(path, BLANK)), _means(path))


@check("collapse", hint="Spread a text over frames in any way, with a blank where labels are equal: it comes back.")
def gives_back_what_was_spread(student, rng):
    for _ in range(4):
        labels = rng.integers(1, 4, int(rng.integers(1, 9))).tolist()
        path = []
        for label in labels:
            path += [BLANK] * int(rng.integers(path[-1:] == [label], 3)) + [label] * int(rng.integers(1, 4))
        expect.equal(_labels(student(path, BLANK)), labels)


@check("collapse", hint="Blanks need not be 0: torch and others put them last, or at -1.")
def takes_any_blank(student, rng):
    for blank in (4, -1, 100):
        path = np.where(rng.random(25) < 0.4, blank, rng.integers(0, 3, 25)).tolist()
        expect.equal(_labels(student(path, blank)), collapse(path, blank))


@check(
    "collapse", hint="Try no frames, one frame, blanks alone, one label throughout, and an array in place of a list."
)
def takes_short_paths_and_arrays(student, rng):
    for path in ([], [0], [3], [0, 0, 0], [2, 2, 2, 2], [2, 0], [0, 2], [2, 0, 2], [1, 2, 1, 1]):
        expect.equal(_labels(student(path, BLANK)), _means(path))
        expect.equal(_labels(student(np.array(path, dtype=int), BLANK)), _means(path))


@check("collapse", hint="A path of 20,000 frames takes a moment only, if each frame is looked at once.")
def reads_long_paths(student, rng):
    path = rng.integers(0, 3, 20_000)
    expect.equal(_labels(student(path, BLANK, seconds=5.0)), _means(path.tolist()))


# Task 2: ctc_log_likelihood


def _checked(log_probs, target):
    log_probs = np.asarray(log_probs, dtype=float)
    if log_probs.ndim != 2:
        raise ValueError(f"{log_probs.ndim} dimensions are not those of frames and symbols.")
    if len(target) and not (min(target) > BLANK and max(target) < log_probs.shape[1]):
        raise ValueError(f"Not all of {list(target)} are labels among {log_probs.shape[1]} symbols.")
    return log_probs


def _lattice(target):
    """The symbol of each state, and the log of 1 or 0 for each step from state to state."""
    states = [BLANK]
    for label in target:
        states += [int(label), BLANK]
    steps = np.eye(len(states)) + np.eye(len(states), k=1)
    for state in range(3, len(states), 2):
        steps[state - 2, state] = states[state] != states[state - 2]
    return np.array(states), _log(steps)


def _rows(emission, steps, start):
    rows = [start + emission[0]]
    for frame in emission[1:]:
        rows.append(np.logaddexp.reduce(rows[-1][:, np.newaxis] + steps, axis=0) + frame)
    return np.array(rows)


def _ends(n_states):
    """Where paths may begin, where they may end."""
    ends = np.full(n_states, -np.inf)
    ends[:2] = 0
    return ends, ends[::-1]


@oracle("ctc_log_likelihood")
def ctc_log_likelihood(log_probs, target):
    """The lattice as a matrix of steps."""
    log_probs = _checked(log_probs, target)
    if len(log_probs) == 0:
        return -np.inf if len(target) else 0.0
    states, steps = _lattice(target)
    start, end = _ends(len(states))
    return float(np.logaddexp.reduce(_rows(log_probs[:, states], steps, start)[-1] + end))


@covers("ctc_log_likelihood")
def is_a_text_and_its_scores(log_probs, target):
    """Log probabilities, so 0 at most and no NaN; whole numbers in the target."""
    log_probs = np.asarray(log_probs, dtype=float)
    return bool(np.all(log_probs <= 1e-9)) and all(isinstance(one, int) for one in target)


@check(
    "ctc_log_likelihood", hint="Write down all paths of four frames and three symbols, collapse them, add up by text."
)
def adds_up_all_paths(student, rng):
    for n_frames, n_symbols in ((1, 3), (2, 4), (4, 3), (5, 3), (6, 2)):
        log_probs = _said(rng, n_frames, n_symbols)
        sums = _enumerated(log_probs)
        texts = list(sums)
        for place in rng.permutation(len(texts))[:6]:
            expect.close(expect.number(student(log_probs, list(texts[place]))), sums[texts[place]], atol=1e-8)


@check("ctc_log_likelihood", hint="The probabilities of all texts that fit into a few frames add up to 1.")
def gives_all_texts_together_one(student, rng):
    log_probs = _said(rng, 4, 3)
    texts = [list(text) for length in range(5) for text in itertools.product((1, 2), repeat=length)]
    total = sum(np.exp(expect.number(student(log_probs, text), finite=False)) for text in texts)
    expect.close(total, 1.0, atol=1e-8)


@check(
    "ctc_log_likelihood",
    hint="Equal neighbours need a blank between them: one, two and three of the same label, in just enough frames.",
)
def keeps_equal_labels_apart(student, rng):
    for target in ([1, 1], [2, 2, 2], [1, 2, 2, 1], [1, 2, 1], [2, 1, 1, 1]):
        log_probs = _said(rng, 7, 3)
        expect.close(expect.number(student(log_probs, target)), _enumerated(log_probs)[tuple(target)], atol=1e-8)


@check(
    "ctc_log_likelihood",
    hint="Give one frame too few, then just enough, repeats included: -inf, not an error, and then a number.",
)
def says_impossible_when_frames_are_too_few(student, rng):
    for target in ([1], [1, 2], [2, 2], [1, 1, 1], [3, 1, 1, 2]):
        needed = len(target) + sum(a == b for a, b in itertools.pairwise(target))
        log_probs = _said(rng, needed, 4)
        expect.close(student(log_probs[1:], target), -np.inf)
        expect.close(expect.number(student(log_probs, target)), ctc_log_likelihood(log_probs, target), atol=1e-8)


@check(
    "ctc_log_likelihood",
    hint="The empty text has one path, of blanks; without frames it is certain, others impossible.",
)
def knows_the_empty_text(student, rng):
    log_probs = _said(rng, 6, 3)
    expect.close(expect.number(student(log_probs, [])), log_probs[:, BLANK].sum(), atol=1e-8)
    expect.close(expect.number(student(log_probs[:1], [])), log_probs[0, BLANK], atol=1e-8)
    expect.close(expect.number(student(log_probs[:0], [])), 0.0, atol=0)
    expect.close(student(log_probs[:0], [2]), -np.inf)


@check("ctc_log_likelihood", hint="Some symbols are impossible in some frames: -inf has to pass through without NaN.")
def stands_impossible_symbols(student, rng):
    log_probs = _said(rng, 7, 4)
    log_probs[rng.random((7, 4)) < 0.25] = -np.inf
    for target in ([1, 2], [3, 3], [2], []):
        expect.close(student(log_probs, target), ctc_log_likelihood(log_probs, target), atol=1e-8)
    log_probs[3] = -np.inf
    expect.close(student(log_probs, [1, 2]), -np.inf)


@check(
    "ctc_log_likelihood",
    hint="500 frames: the probability is far below what floating point holds, and its logarithm is an ordinary number.",
)
def stands_long_recordings(student, rng):
    for n_labels in (3, 40):
        log_probs, target = _said(rng, 500, 6, 3.0), rng.integers(1, 6, n_labels).tolist()
        got = expect.number(student(log_probs, target, seconds=SLOW))
        expect.close(got, ctc_log_likelihood(log_probs, target), atol=1e-6)


@check(
    "ctc_log_likelihood", hint="Raise ValueError for the blank in a target, labels without a column, other dimensions."
)
def refuses_what_is_no_label(student, rng):
    log_probs = _said(rng, 5, 3)
    for wrong in ([0], [1, 0, 2], [3], [1, 2, 7], [-1], [2, -2]):
        expect.raises(student, ValueError, log_probs, wrong)
        expect.raises(student, ValueError, log_probs[:0], wrong)
    for shape in ((5,), (2, 5, 3)):
        expect.raises(student, ValueError, np.full(shape, -1.0), [1])


# Task 3: ctc_gradient


@oracle("ctc_gradient")
def ctc_gradient(logits, target):
    """Shares by the matrix of steps, forwards and, transposed, backwards."""
    log_probs = _checked(_log_softmax(logits) if np.ndim(logits) else logits, target)
    if len(log_probs) == 0:
        return -ctc_log_likelihood(log_probs, target), np.zeros(log_probs.shape)
    states, steps = _lattice(target)
    start, end = _ends(len(states))
    emission = log_probs[:, states]
    ahead, behind = _rows(emission, steps, start), _rows(emission[::-1], steps.T, end)[::-1]
    total = np.logaddexp.reduce(ahead[-1] + end)
    if total == -np.inf:
        return np.inf, np.zeros(log_probs.shape)
    owner = np.eye(log_probs.shape[1])[states]
    return float(-total), np.exp(log_probs) - np.exp(ahead + behind - emission - total) @ owner


@covers("ctc_gradient")
def are_scores_and_a_text(logits, target):
    """Finite scores of a usual size for some symbols, and whole numbers in the target."""
    logits = np.asarray(logits, dtype=float)
    usual = logits.ndim == 2 and logits.shape[1] > 0 and bool(np.all(np.abs(logits) < 1e4))
    return usual and all(isinstance(one, int) for one in target)


@latitude("ctc_gradient")
def slopes_alike(arguments, reference, given):
    """A tuple or a list, and small errors of rounding."""
    if not isinstance(given, (tuple, list)) or len(given) != 2 or np.shape(given[1]) != np.shape(reference[1]):
        return False
    return all(np.allclose(a, b, rtol=1e-7, atol=1e-7) for a, b in zip(reference, given, strict=True))


def _slopes(given, shape):
    """Loss and gradient, with their form checked."""
    expect.true(isinstance(given, (tuple, list)) and len(given) == 2, "Return two things: the loss and the gradient.")
    loss = expect.number(given[0], finite=False, hint="The loss is one number.")
    expect.shape(given[1], shape, hint="The gradient has the shape of the logits.")
    return loss, expect.array(given[1])


@check("ctc_gradient", hint="Nudge every logit a little, up and down: the sum over all paths says what its slope is.")
def agrees_with_finite_differences(student, rng):
    for n_frames, target in ((1, [1]), (3, [2, 1]), (4, [1, 1]), (4, [])):
        logits = rng.normal(0, 1.5, (n_frames, 3))
        loss, gradient = _slopes(student(logits, target), logits.shape)

        def exact(moved, target=target):
            return -_enumerated(_log_softmax(moved))[tuple(target)]

        expect.close(loss, exact(logits), atol=1e-8)
        for place in itertools.product(range(n_frames), range(3)):
            nudge = np.zeros(logits.shape)
            nudge[place] = 1e-4
            slope = (exact(logits + nudge) - exact(logits - nudge)) / 2e-4
            expect.close(gradient[place], slope, atol=1e-6)


@check("ctc_gradient", hint="Longer recordings, texts with repeats: compare with finite differences of your Task 2.")
def agrees_on_longer_recordings(student, rng):
    for n_frames, target in ((12, [1, 1, 2]), (25, [3, 1, 3, 3, 2]), (18, [2] * 5), (9, [1, 2, 3, 1])):
        logits = rng.normal(0, 2, (n_frames, 4))
        loss, gradient = _slopes(student(logits, target), logits.shape)
        want = ctc_gradient(logits, target)
        expect.close(loss, want[0], atol=1e-7)
        expect.close(gradient, want[1], atol=1e-7)


@check("ctc_gradient", hint="Logits are not log probabilities: adding a constant to a frame's logits changes nothing.")
def ignores_constants_of_a_frame(student, rng):
    logits, target = rng.normal(0, 1, (8, 4)), [1, 3, 3]
    want = ctc_gradient(logits, target)
    for shift in (rng.normal(0, 5, (8, 1)), np.full((8, 1), 900.0), np.full((8, 1), -900.0)):
        loss, gradient = _slopes(student(logits + shift, target), logits.shape)
        expect.close(loss, want[0], atol=1e-6)
        expect.close(gradient, want[1], atol=1e-7)
        expect.close(gradient.sum(axis=1), np.zeros(8), atol=1e-7)


@check(
    "ctc_gradient",
    hint="300 frames, or a network that is sure of something else: shares of a tiny probability still add up to 1.",
)
def stands_tiny_probabilities(student, rng):
    for n_frames, size in ((300, 1.0), (40, 60.0)):
        logits, target = size * rng.normal(0, 1, (n_frames, 4)), rng.integers(1, 4, 9).tolist()
        loss, gradient = _slopes(student(logits, target, seconds=SLOW), logits.shape)
        want = ctc_gradient(logits, target)
        expect.close(loss, want[0], atol=1e-6, rtol=1e-9)
        expect.close(gradient, want[1], atol=1e-6)


@check("ctc_gradient", hint="The empty text pulls every frame to the blank and pushes all else away.")
def pulls_to_blanks_for_the_empty_text(student, rng):
    logits = rng.normal(0, 1, (6, 4))
    loss, gradient = _slopes(student(logits, []), logits.shape)
    said = np.exp(_log_softmax(logits))
    expect.close(loss, -np.log(said[:, BLANK]).sum(), atol=1e-8)
    expect.close(gradient, said - np.eye(4)[BLANK], atol=1e-8)


@check("ctc_gradient", hint="Without frames there is nothing to push: shape (0, n_symbols).")
def has_no_slope_without_frames(student, rng):
    for n_symbols in (2, 4):
        logits = np.zeros((0, n_symbols))
        loss, _ = _slopes(student(logits, []), logits.shape)
        expect.close(loss, 0.0, atol=0)
        loss, _ = _slopes(student(logits, [1]), logits.shape)
        expect.close(loss, np.inf)


@check("ctc_gradient", hint="A text that its frames cannot carry: infinite loss, and a gradient of zeros without NaN.")
def learns_nothing_from_the_impossible(student, rng):
    for n_frames, target in ((2, [1, 1]), (1, [1, 2]), (4, [2, 2, 2]), (3, [1, 2, 3, 1])):
        logits = rng.normal(0, 1, (n_frames, 4))
        loss, gradient = _slopes(student(logits, target), logits.shape)
        expect.close(loss, np.inf)
        expect.close(gradient, np.zeros(logits.shape), atol=0)
        enough = rng.normal(0, 1, (5, 4))
        expect.close(_slopes(student(enough, target), enough.shape)[1], ctc_gradient(enough, target)[1], atol=1e-7)


@check(
    "ctc_gradient", hint="Raise ValueError for targets and shapes that Task 2 refuses; whole numbers are logits too."
)
def refuses_bad_targets_of_slopes(student, rng):
    logits = rng.normal(0, 1, (5, 3))
    for wrong in ([0], [1, 3], [-1]):
        expect.raises(student, ValueError, logits, wrong)
    expect.raises(student, ValueError, logits[0], [1])
    whole = rng.integers(-3, 4, (6, 3))
    expect.close(_slopes(student(whole, [2, 1]), whole.shape)[1], ctc_gradient(whole, [2, 1])[1], atol=1e-7)


# Task 4: forced_alignment


@oracle("forced_alignment")
def forced_alignment(log_probs, target):
    """The best of all states and steps by the matrix; then back from the end by asking again."""
    log_probs = _checked(log_probs, target)
    if len(log_probs) == 0 and len(target) == 0:
        return np.zeros(0, dtype=int), np.zeros(0, dtype=int)
    states, steps = _lattice(target)
    start, end = _ends(len(states))
    if ctc_log_likelihood(log_probs, target) == -np.inf:
        raise ValueError("There is no alignment of this text with these frames.")
    rows = [start + log_probs[0, states]]
    for frame in log_probs[1:]:
        rows.append((rows[-1][:, np.newaxis] + steps).max(axis=0) + frame[states])
    at = [int(np.argmax(rows[-1] + end))]
    for row in rows[-2::-1]:
        at.insert(0, int(np.argmax(row + steps[:, at[0]])))
    at = np.array(at)
    return states[at], np.array([np.argmax(at == 2 * place + 1) for place in range(len(target))], dtype=int)


def _score(log_probs, path):
    """Log probability of a path."""
    return float(np.asarray(log_probs, dtype=float)[np.arange(len(path)), path].sum())


def _begins(path):
    """First frames of the labels that a path means."""
    return [t for t, symbol in enumerate(path) if symbol != BLANK and (t == 0 or path[t - 1] != symbol)]


@covers("forced_alignment")
def is_a_text_to_align(log_probs, target):
    """As for the sum."""
    return is_a_text_and_its_scores(log_probs, target)


@latitude("forced_alignment")
def aligns_as_well(arguments, reference, given):
    """Any of the best paths, with its own starts."""
    log_probs, target = arguments
    if not isinstance(given, (tuple, list)) or len(given) != 2:
        return False
    path, starts = given
    if np.shape(path) != np.shape(reference[0]) or getattr(path, "dtype", np.dtype(float)).kind not in "iu":
        return False
    if not isinstance(starts, np.ndarray) or starts.dtype.kind not in "iu" or np.any(path < 0):
        return False
    if np.any(path >= np.shape(log_probs)[1]) or _means(path.tolist()) != list(target):
        return False
    near = abs(_score(log_probs, path) - _score(log_probs, reference[0])) <= 1e-8
    return bool(near) and starts.tolist() == _begins(path.tolist())


def _aligned(given, log_probs, target, atol=1e-8):
    """Path and starts: their form, that they mean the target, and that the path is as good as the best."""
    expect.true(isinstance(given, (tuple, list)) and len(given) == 2, "Return two things: the path and the starts.")
    for one, length, name in ((given[0], len(log_probs), "path"), (given[1], len(target), "starts")):
        expect.shape(one, (length,), hint=f"The {name} has one whole number for each frame or label.")
        expect.dtype(one, "int", hint=f"The {name} is an array of whole numbers, also for the empty text.")
    path, starts = given[0].tolist(), given[1].tolist()
    expect.true(all(0 <= symbol < log_probs.shape[1] for symbol in path))
    expect.equal(_means(path), list(target), hint="Collapse your path: it has to mean the target.")
    expect.equal(starts, _begins(path), hint="The starts are the first frames of the labels on your own path.")
    return _score(log_probs, path)


@check(
    "forced_alignment", hint="Try all paths of a few frames that mean the target: none may be more probable than yours."
)
def is_the_best_of_all_paths(student, rng):
    for n_frames, target in ((1, [2]), (3, [1, 2]), (5, [2]), (6, [1, 2, 1]), (6, [2, 2]), (4, [])):
        log_probs = _said(rng, n_frames, 3)
        best = max(score for path, score in _all_paths(log_probs) if _means(path) == target)
        expect.close(_aligned(student(log_probs, target), log_probs, target), best, atol=1e-8)


@check(
    "forced_alignment", hint="Equal neighbours: the path needs a blank between them, however improbable the blank is."
)
def parts_equal_labels(student, rng):
    for target in ([1, 1], [2, 2, 2], [1, 1, 2, 2], [3, 3, 1, 3, 3]):
        log_probs = _log_softmax(_said(rng, 14, 4) - 5 * np.eye(4)[BLANK])
        score = _aligned(student(log_probs, target), log_probs, target)
        expect.close(score, _score(log_probs, forced_alignment(log_probs, target)[0]), atol=1e-8)


@check(
    "forced_alignment", hint="A path may begin with a label or a blank, and end with a label or a blank. Try all four."
)
def begins_and_ends_either_way(student, rng):
    for first, last in itertools.product((0, 1), (0, 2)):
        log_probs = _said(rng, 8, 3)
        log_probs[0, first] += 20
        log_probs[-1, last] += 20
        log_probs = _log_softmax(log_probs)
        score = _aligned(student(log_probs, [1, 2]), log_probs, [1, 2])
        expect.close(score, _score(log_probs, forced_alignment(log_probs, [1, 2])[0]), atol=1e-8)


@check("forced_alignment", hint="A long text whose labels were placed in known frames: find these frames again.")
def finds_where_labels_were_put(student, rng):
    labels = rng.integers(1, 6, 30).tolist()
    path = []
    for label in labels:
        path += [BLANK] * int(rng.integers(1, 6)) + [label] * int(rng.integers(1, 4))
    path += [BLANK] * int(rng.integers(0, 4))
    log_probs = _log_softmax(rng.normal(0, 0.7, (len(path), 6)) + 12 * np.eye(6)[path])
    given = student(log_probs, labels, seconds=SLOW)
    _aligned(given, log_probs, labels)
    expect.equal(given[0].tolist(), path)
    expect.equal(given[1].tolist(), _begins(path))


@check(
    "forced_alignment", hint="400 frames of a network that is sure of other things: compare logarithms, not products."
)
def aligns_long_recordings(student, rng):
    log_probs, target = _said(rng, 400, 5, 4.0), rng.integers(1, 5, 25).tolist()
    score = _aligned(student(log_probs, target, seconds=SLOW), log_probs, target)
    expect.close(score, _score(log_probs, forced_alignment(log_probs, target)[0]), atol=1e-6)


@check("forced_alignment", hint="Where all symbols are alike every path is best: yours still has to mean the target.")
def means_the_target_even_when_all_is_alike(student, rng):
    for n_frames, target in ((2, [1, 2]), (3, [1, 1]), (9, [2, 2, 1]), (5, [1])):
        log_probs = np.full((n_frames, 3), -np.log(3))
        _aligned(student(log_probs, target), log_probs, target)


@check("forced_alignment", hint="The empty text: blanks throughout, no starts; without frames two empty arrays.")
def aligns_the_empty_text(student, rng):
    log_probs = _said(rng, 5, 3)
    expect.close(_aligned(student(log_probs, []), log_probs, []), log_probs[:, BLANK].sum(), atol=1e-8)
    _aligned(student(log_probs[:0], []), log_probs[:0], [])


@check(
    "forced_alignment",
    hint="Too few frames, also none at all, a symbol of the text that is impossible everywhere, the blank as a label: "
    "ValueError.",
)
def refuses_what_cannot_be_aligned(student, rng):
    log_probs = _said(rng, 4, 3)
    expect.raises(student, ValueError, log_probs[:0], [1])
    expect.raises(student, ValueError, log_probs[:2], [1, 1])
    expect.raises(student, ValueError, log_probs, [1, 2, 1, 2, 1])
    expect.raises(student, ValueError, log_probs, [1, 0])
    expect.raises(student, ValueError, log_probs, [3])
    never = log_probs.copy()
    never[:, 2] = -np.inf
    expect.raises(student, ValueError, never, [1, 2])
    score = _aligned(student(never, [1]), never, [1])
    expect.close(score, _score(never, forced_alignment(never, [1])[0]), atol=1e-8)


# Task 5: prefix_beam_search


@oracle("prefix_beam_search")
def prefix_beam_search(log_probs, beam_width):
    """Every text that can be reached asks the kept ones what leads to it."""
    log_probs = np.asarray(log_probs, dtype=float)
    if log_probs.ndim != 2 or log_probs.shape[1] < 1 or beam_width < 1:
        raise ValueError(f"A beam of {beam_width} over an array {log_probs.shape} is no search.")
    nothing = (-np.inf, -np.inf)
    kept = {(): (0.0, -np.inf)}
    for frame in log_probs.tolist():
        grown = {(*text, label) for text in kept for label in range(1, len(frame))}
        reached = {}
        for text in {*kept, *grown}:
            in_blank, in_label = kept.get(text, nothing)
            stays = np.logaddexp(in_blank, in_label) + frame[BLANK]
            if not text:
                reached[text] = (stays, -np.inf)
                continue
            before_blank, before_label = kept.get(text[:-1], nothing)
            new = before_blank if text[-2:-1] == text[-1:] else np.logaddexp(before_blank, before_label)
            reached[text] = (stays, np.logaddexp(in_label, new) + frame[text[-1]])
        ranked = sorted(reached, key=lambda text: (-np.logaddexp(*reached[text]), text))
        kept = {text: reached[text] for text in ranked[: int(beam_width)]}
    best = next(iter(kept))
    return list(best), float(np.logaddexp(*kept[best]))


@covers("prefix_beam_search")
def can_be_searched(log_probs, beam_width):
    """Log probabilities without two equal ones in a frame, where texts could be equally probable; a whole beam."""
    log_probs = np.asarray(log_probs, dtype=float)
    if log_probs.ndim != 2 or isinstance(beam_width, float):
        return not isinstance(beam_width, float)
    finite = np.where(np.isfinite(log_probs), log_probs, -1e9 - np.arange(log_probs.size).reshape(log_probs.shape))
    distinct = len(np.unique(np.round(finite, 9))) == finite.size
    return bool(np.all(log_probs <= 1e-9) and np.all(np.isfinite(log_probs)) and distinct)


@latitude("prefix_beam_search")
def finds_as_good_a_text(arguments, reference, given):
    """The same text with the same score up to rounding."""
    same_form = isinstance(given, (tuple, list)) and len(given) == 2 and isinstance(given[0], list)
    if not same_form or not isinstance(given[1], float):
        return False
    near = given[1] == reference[1] or abs(given[1] - reference[1]) <= 1e-7
    return near and given[0] == reference[0]


def _found(given):
    """Labels and log probability, with their form checked."""
    expect.true(
        isinstance(given, (tuple, list)) and len(given) == 2, "Return two things: the labels and their log_prob."
    )
    return _labels(given[0]), expect.number(given[1], finite=False, hint="log_prob is one number.")


@check(
    "prefix_beam_search", hint="A beam wider than there are texts finds the best one of all, with the sum of its paths."
)
def finds_the_best_of_all_texts(student, rng):
    for n_frames, n_symbols in ((1, 3), (2, 2), (4, 3), (5, 3), (7, 2), (3, 5)):
        log_probs = _said(rng, n_frames, n_symbols)
        sums = _enumerated(log_probs)
        labels, log_prob = _found(student(log_probs, 1000, seconds=SLOW))
        best = max(sums, key=sums.get)
        expect.equal(labels, list(best))
        expect.close(log_prob, sums[best], atol=1e-8)


@check(
    "prefix_beam_search",
    hint="Make the best path and the best text differ: many weak paths for one text, one strong path for another.",
)
def adds_up_what_means_the_same(student, rng):
    differ = 0
    for _ in range(60):
        log_probs = _said(rng, 5, 3, 0.6)
        sums = _enumerated(log_probs)
        best = max(sums, key=sums.get)
        if list(best) != _means(log_probs.argmax(axis=1).tolist()):
            labels, log_prob = _found(student(log_probs, 1000, seconds=SLOW))
            expect.equal(labels, list(best))
            expect.close(log_prob, sums[best], atol=1e-8)
            differ += 1
        if differ == 4:
            break
    if not differ:
        raise ValueError("No draw had a best path that is not the best text.")


@check("prefix_beam_search", hint="Labels that repeat: a a is a, a blank a is a a. Follow both through three frames.")
def tells_repeats_from_long_labels(student, rng):
    for path in ([1, 1, 1], [1, 0, 1], [1, 1, 0, 1], [2, 2, 1, 1], [1, 0, 1, 0, 1], [0, 2, 2, 0, 2]):
        log_probs = _log_softmax(rng.normal(0, 0.4, (len(path), 3)) + 3 * np.eye(3)[path])
        sums = _enumerated(log_probs)
        best = max(sums, key=sums.get)
        labels, log_prob = _found(student(log_probs, 1000, seconds=SLOW))
        expect.equal(labels, list(best))
        expect.close(log_prob, sums[best], atol=1e-8)


@check(
    "prefix_beam_search",
    hint="With a narrow beam do exactly as the task says: grow all kept texts, add up, then keep the best beam_width.",
)
def prunes_as_stated(student, rng):
    for width in (1, 2, 3, 6):
        for _ in range(3):
            log_probs = _said(rng, 14, 4, 1.0)
            labels, log_prob = _found(student(log_probs, width, seconds=SLOW))
            want = prefix_beam_search(log_probs, width)
            expect.equal(labels, want[0])
            expect.close(log_prob, want[1], atol=1e-8)


@check(
    "prefix_beam_search", hint="Silence, no frames, one frame, no symbol but the blank: the empty text is an answer."
)
def finds_nothing_where_nothing_is(student, rng):
    silence = _log_softmax(rng.normal(0, 0.5, (20, 4)) + 9 * np.eye(4)[BLANK])
    labels, log_prob = _found(student(silence, 4, seconds=SLOW))
    expect.equal(labels, [])
    expect.close(log_prob, silence[:, BLANK].sum(), atol=1e-8)
    expect.equal(_found(student(silence[:0], 3)), ([], 0.0))
    labels, log_prob = _found(student(np.zeros((4, 1)), 2))
    expect.equal(labels, [])
    expect.close(log_prob, 0.0, atol=1e-12)


@check("prefix_beam_search", hint="Impossible symbols (-inf), and 150 frames of a sure network: no NaN, no underflow.")
def stands_zeros_and_long_recordings(student, rng):
    path = np.repeat(rng.integers(0, 4, 50), 3)
    log_probs = _log_softmax(rng.normal(0, 1, (150, 4)) + 9 * np.eye(4)[path])
    labels, log_prob = _found(student(log_probs, 3, seconds=SLOW))
    want = prefix_beam_search(log_probs, 3)
    expect.equal(labels, want[0])
    expect.close(log_prob, want[1], atol=1e-6)
    certain = _log(np.eye(3)[[1, 1, 0, 2, 2, 0, 2]])
    expect.equal(_found(student(certain, 5)), ([1, 2, 2], 0.0))
    low = _said(rng, 6, 3) - 300.0
    labels, log_prob = _found(student(low, 50, seconds=SLOW))
    expect.equal(labels, prefix_beam_search(low, 50)[0])
    expect.close(log_prob, prefix_beam_search(low, 50)[1], atol=1e-7)


@check(
    "prefix_beam_search",
    hint="Raise ValueError for a beam of 0 or less, and for arrays that are not frames by symbols.",
)
def refuses_beams_that_keep_nothing(student, rng):
    log_probs = _said(rng, 3, 3)
    for width in (0, -1):
        expect.raises(student, ValueError, log_probs, width)
    expect.raises(student, ValueError, log_probs[:0], 0)
    for shape in ((3,), (2, 3, 3), (4, 0)):
        expect.raises(student, ValueError, np.full(shape, -1.0), 2)


# Task 6: train_ctc


def _descended(inputs, targets, n_symbols, steps):
    """Weights after steps along the mean slope of all recordings, with momentum."""
    weights = np.zeros((inputs[0].shape[1], n_symbols))
    speed = np.zeros(weights.shape)
    n_frames = sum(map(len, inputs))
    for _ in range(steps):
        slope = sum(x.T @ ctc_gradient(x @ weights, target)[1] for x, target in zip(inputs, targets, strict=True))
        speed = 0.9 * speed - slope / n_frames
        weights = weights + speed
    return weights


@oracle("train_ctc")
def train_ctc(inputs, targets, n_symbols):
    """All recordings at once."""
    if len(inputs) != len(targets):
        raise ValueError(f"{len(inputs)} recordings and {len(targets)} texts do not belong together.")
    for target in targets:
        _checked(np.zeros((0, n_symbols)), target)
    fits = [
        np.isfinite(ctc_log_likelihood(np.zeros((len(x), n_symbols)), target)) and len(x) > 0
        for x, target in zip(inputs, targets, strict=True)
    ]
    if not any(fits):
        raise ValueError("No recording is long enough for its text.")
    kept = [place for place, fit in enumerate(fits) if fit]
    return _descended([inputs[one] for one in kept], [targets[one] for one in kept], n_symbols, 80)


def _spoken(rng, labels, sounds, noise=0.4):
    """(n_frames, n_features + 1): sounds of 2 to 4 frames with pauses of 1 or 2 between, and a column of 1."""
    pieces = [np.zeros((int(rng.integers(1, 3)), sounds.shape[1]))]
    for label in labels:
        pieces.append(np.repeat(sounds[[label - 1]], int(rng.integers(2, 5)), axis=0))
        pieces.append(np.zeros((int(rng.integers(1, 3)), sounds.shape[1])))
    frames = np.concatenate(pieces)
    frames = frames + noise * rng.standard_normal(frames.shape)
    padded = np.pad(np.hstack([frames, np.ones((len(frames), 1))]), ((1, 1), (0, 0)))
    return np.hstack([padded[place : place + len(frames)] for place in range(3)])


def _lesson(rng, n_taught=24, n_asked=40, n_labels=4):
    """Made-up speech for training and, of the same sounds, for testing: inputs, targets, inputs, targets."""
    sounds = 2 * np.eye(n_labels, n_labels + 1) + rng.normal(0, 0.2, (n_labels, n_labels + 1))
    texts = [rng.integers(1, n_labels + 1, int(rng.integers(2, 6))).tolist() for _ in range(n_taught + n_asked)]
    heard = [_spoken(rng, text, sounds) for text in texts]
    return heard[:n_taught], texts[:n_taught], heard[n_taught:], texts[n_taught:]


def _edits(said, written):
    """Substitutions, insertions and deletions between two lists."""
    row = list(range(len(written) + 1))
    for place, one in enumerate(said, 1):
        above, row[0] = row[0], place
        for other, label in enumerate(written, 1):
            above, row[other] = row[other], min(above + (one != label), row[other] + 1, row[other - 1] + 1)
    return row[-1]


def _error_rate(weights, inputs, targets):
    """Label errors of the best path by label said."""
    errors = [
        _edits(target, _means((x @ weights).argmax(axis=1).tolist())) for x, target in zip(inputs, targets, strict=True)
    ]
    return sum(errors) / sum(map(len, targets))


def _loss(weights, inputs, targets):
    """Mean loss of a recording."""
    return float(
        np.mean([-ctc_log_likelihood(_log_softmax(x @ weights), t) for x, t in zip(inputs, targets, strict=True)])
    )


def _taught(student, inputs, targets, n_symbols):
    """One training: weights, with their form checked."""
    weights = student(inputs, targets, n_symbols, seconds=TRAINING)
    shape = (inputs[0].shape[1], n_symbols)
    return expect.array(weights, shape, "float", hint="Weights are (n_inputs, n_symbols) floats, all of them finite.")


@covers("train_ctc")
def can_be_learned(inputs, targets, n_symbols):
    """Lessons as the checks have them: at least twenty recordings, or something that has to be refused."""
    if len(inputs) != len(targets) or not inputs:
        return True
    return len(inputs) >= 20 and n_symbols > max((label for target in targets for label in target), default=0)


@latitude("train_ctc")
def has_learned_as_much(arguments, reference, given):
    """Any weights with which nearly as many labels of the lesson itself are right, and whose loss is low."""
    inputs, targets, _ = arguments
    if not isinstance(given, np.ndarray) or given.shape != reference.shape or not np.isfinite(given).all():
        return False
    fitting = [(x, t) for x, t in zip(inputs, targets, strict=True) if len(x) >= 2 * len(t) and len(x)]
    inputs, targets = [x for x, _ in fitting], [t for _, t in fitting]
    return _error_rate(given, inputs, targets) <= _error_rate(reference, inputs, targets) + 0.05


@check(
    "train_ctc", hint="On recordings that training has not seen too many labels are wrong. Hold some out, and count."
)
def writes_what_new_recordings_say(student, rng):
    taught, texts, asked, said = _lesson(rng)
    expect.true(_error_rate(_taught(student, taught, texts, 5), asked, said) <= MOST_ERRORS)


@check(
    "train_ctc",
    hint="The loss on the lesson itself has to fall far: watch it from step to step. Which way is downhill?",
)
def lowers_the_loss(student, rng):
    taught, texts, _, _ = _lesson(rng, n_asked=0, n_labels=3)
    before = _loss(np.zeros((taught[0].shape[1], 4)), taught, texts)
    expect.true(_loss(_taught(student, taught, texts, 4), taught, texts) <= 0.25 * before)


@check(
    "train_ctc",
    hint="Texts that their frames cannot carry are left out, wherever they stand; the rest is learned as well as ever.",
)
def leaves_impossible_recordings_out(student, rng):
    taught, texts, asked, said = _lesson(rng)
    for place in (0, 5, len(taught)):
        taught.insert(place, taught[-1][:2])
        texts.insert(place, [1, 1, 1])
    taught.append(taught[-2][:3])
    texts.append([2, 2, 2, 2])
    expect.true(_error_rate(_taught(student, taught, texts, 5), asked, said) <= MOST_ERRORS)


@check("train_ctc", hint="Some recordings are silent, with an empty text, and some labels are never said.")
def learns_from_silence(student, rng):
    taught, texts, asked, said = _lesson(rng)
    silence = [_spoken(rng, [], np.zeros((1, 5))) for _ in range(4)]
    weights = _taught(student, [*silence, *taught], [*([[]] * 4), *texts], 7)
    expect.true(_error_rate(weights, asked, said) <= MOST_ERRORS)
    quiet = [_means((x @ weights).argmax(axis=1).tolist()) for x in silence]
    expect.true(sum(map(len, quiet)) <= 1)


@check(
    "train_ctc", hint="Raise ValueError where texts and recordings differ in number, and where nothing can be learned."
)
def refuses_lessons_that_teach_nothing(student, rng):
    taught, texts, _, _ = _lesson(rng, 3, 0)
    expect.raises(student, ValueError, taught, texts[:2], 5)
    expect.raises(student, ValueError, taught[:2], texts, 5)
    expect.raises(student, ValueError, [], [], 5)
    expect.raises(student, ValueError, [one[:2] for one in taught], [[1, 1]] * 3, 5)
    expect.raises(student, ValueError, [taught[0][:2]], [[1, 1]], 5)


# Task 7: stream_layer


@oracle("stream_layer")
def stream_layer(chunk, state, kernel, ahead, last):
    """Windows over the last frames and this chunk, all at once."""
    kernel, chunk = np.asarray(kernel), np.asarray(chunk)
    width, n_in, n_out = kernel.shape
    if ahead < 0 or ahead > width - 1 or chunk.ndim != 2 or chunk.shape[1] != n_in:
        raise ValueError(f"A chunk {chunk.shape} and {ahead} frames ahead do not fit a kernel {kernel.shape}.")
    kept = np.zeros((width - 1 - ahead, n_in)) if state is None else state
    heard = np.vstack([kept, chunk] + [np.zeros((1, n_in))] * (ahead if last else 0))
    if len(heard) < width:
        return np.zeros((0, n_out)), heard
    windows = np.lib.stride_tricks.sliding_window_view(heard, width, axis=0)
    return np.einsum("tiw,wio->to", windows, kernel), heard[len(windows) :]


@covers("stream_layer")
def is_a_stream(chunk, state, kernel, ahead, last):
    """A kernel of three dimensions, finite numbers, and a state that this very layer can have returned."""
    if np.ndim(kernel) != 3 or len(kernel) < 1 or not isinstance(ahead, int) or not isinstance(last, bool):
        return False
    if state is not None:
        width, n_in = kernel.shape[:2]
        fits = isinstance(state, np.ndarray) and state.ndim == 2 and state.shape[1] == n_in
        if not fits or not width - 1 - ahead <= len(state) <= width - 1:
            return False
    return bool(np.all(np.isfinite(np.asarray(chunk, dtype=float))) and np.all(np.isfinite(kernel)))


@latitude("stream_layer")
def streams_alike(arguments, reference, given):
    """Outputs up to rounding; the state too, but after the last chunk nobody asks for it."""
    if not isinstance(given, (tuple, list)) or len(given) != 2 or np.shape(given[0]) != np.shape(reference[0]):
        return False
    same = np.allclose(given[0], reference[0], rtol=1e-7, atol=1e-7)
    if arguments[-1]:
        return same
    return same and np.shape(given[1]) == np.shape(reference[1]) and np.allclose(given[1], reference[1])


def _whole(frames, kernel, ahead):
    """Each output by its definition, over the whole recording."""
    width, _, n_out = kernel.shape
    outputs = np.zeros((len(frames), n_out))
    for t, place in itertools.product(range(len(frames)), range(width)):
        source = t - (width - 1 - ahead) + place
        if 0 <= source < len(frames):
            outputs[t] += frames[source] @ kernel[place]
    return outputs


def _part(given, n_out):
    """Outputs and state of one call, with their form checked."""
    expect.true(isinstance(given, (tuple, list)) and len(given) == 2, "Return two things: the outputs and the state.")
    outputs = expect.array(given[0], hint="Outputs are an array (n_ready, n_out), also where nothing is ready.")
    if outputs.ndim != 2 or outputs.shape[1] != n_out:
        raise CheckFailed(
            f"outputs of shape {outputs.shape}", "Outputs are (n_ready, n_out), also where nothing is ready."
        )
    return outputs, given[1]


def _streamed(student, frames, kernel, ahead, cuts):
    """All outputs of a stream cut at ``cuts``, after a check of how many there are at any moment."""
    state, parts, n_known = None, [], 0
    edges = [0, *cuts, len(frames)]
    for place, (start, end) in enumerate(itertools.pairwise(edges), start=2):
        last = place == len(edges)  # and not an empty chunk before it
        outputs, state = _part(student(frames[start:end], state, kernel, ahead, last), kernel.shape[2])
        parts.append(outputs)
        n_known += len(outputs)
        expect.equal(n_known, end if last else max(0, end - ahead), hint="After n frames n - ahead outputs are known.")
    return np.concatenate(parts)


def _layer(rng, width, n_frames, n_in=3, n_out=2):
    return rng.normal(0, 1, (n_frames, n_in)), rng.normal(0, 1, (width, n_in, n_out))


@check("stream_layer", hint="One chunk, the whole recording: write the sum of the task as two loops and compare.")
def is_the_sum_as_it_is_written(student, rng):
    for width, ahead in ((1, 0), (3, 1), (4, 3), (5, 0), (6, 2)):
        frames, kernel = _layer(rng, width, 12)
        expect.close(_streamed(student, frames, kernel, ahead, []), _whole(frames, kernel, ahead), atol=1e-9)


@check(
    "stream_layer", hint="Cut a recording anywhere, into single frames, into empty chunks: the outputs stay the same."
)
def does_not_care_how_it_is_cut(student, rng):
    for width, ahead in ((1, 0), (3, 1), (5, 4), (4, 0), (7, 2)):
        frames, kernel = _layer(rng, width, 20)
        want = _whole(frames, kernel, ahead)
        for cuts in (range(1, 20), (5, 5, 12), sorted(rng.integers(0, 21, 4).tolist())):
            expect.close(_streamed(student, frames, kernel, ahead, cuts), want, atol=1e-9)


@check(
    "stream_layer",
    hint="Change all frames after t + ahead: output t was given before they came, and may not depend on them.",
)
def does_not_look_further_than_it_may(student, rng):
    width, ahead = 5, int(rng.integers(0, 4))
    frames, kernel = _layer(rng, width, 16)
    t = int(rng.integers(4, 9))
    other = frames.copy()
    other[t + ahead + 1 :] = rng.normal(0, 50, other[t + ahead + 1 :].shape)
    first = _streamed(student, frames, kernel, ahead, [t + ahead + 1])
    second = _streamed(student, other, kernel, ahead, [t + ahead + 1])
    expect.close(second[: t + 1], first[: t + 1], atol=1e-9)
    expect.close(second, _whole(other, kernel, ahead), atol=1e-8)


@check(
    "stream_layer", hint="Streams shorter than the look-ahead or the kernel, of one frame, of no frames, end as well."
)
def ends_short_streams(student, rng):
    for n_frames, cuts in ((0, []), (1, []), (1, [1]), (2, [1]), (3, [1, 2, 3]), (2, [0, 2])):
        frames, kernel = _layer(rng, 6, n_frames)
        for ahead in (0, 2, 5):
            got = _streamed(student, frames, kernel, ahead, cuts)
            expect.close(got, _whole(frames, kernel, ahead), atol=1e-9)


def _n_numbers(state):
    """How many numbers a state holds."""
    if isinstance(state, np.ndarray):
        return state.size
    if isinstance(state, dict):
        return sum(map(_n_numbers, state.values()))
    return sum(map(_n_numbers, state)) if isinstance(state, (list, tuple)) else 1


@check(
    "stream_layer", hint="A call of an hour must not fill the memory: keep the frames that are still needed, no more."
)
def keeps_a_small_state(student, rng):
    frames, kernel = _layer(rng, 4, 600)
    state, parts = None, []
    for start in range(0, 600, 100):
        outputs, state = _part(student(frames[start : start + 100], state, kernel, 1, start == 500), 2)
        parts.append(outputs)
        if start < 500:
            expect.true(_n_numbers(state) <= 4 * kernel.size + 100)
    expect.close(np.concatenate(parts), _whole(frames, kernel, 1), atol=1e-8)


@check(
    "stream_layer",
    hint="Two calls at once: what one stream remembers is in its state, not in the function or the kernel.",
)
def keeps_streams_apart(student, rng):
    (one, kernel), (two, _) = _layer(rng, 5, 9), _layer(rng, 5, 9)
    states, parts = [None, None], [[], []]
    for start in range(0, 9, 3):
        for which, frames in enumerate((one, two)):
            got = student(frames[start : start + 3], states[which], kernel, 2, start == 6)
            outputs, states[which] = _part(got, 2)
            parts[which].append(outputs)
    for which, frames in enumerate((one, two)):
        expect.close(np.concatenate(parts[which]), _whole(frames, kernel, 2), atol=1e-9)


@check("stream_layer", hint="Frames of whole numbers, from an 8-bit codec, are frames too; their sums need room.")
def takes_whole_numbers(student, rng):
    frames = rng.integers(-100, 100, (10, 3)).astype(np.int8)
    kernel = rng.normal(0, 1, (4, 3, 2))
    expect.close(_streamed(student, frames, kernel, 1, [3, 4]), _whole(frames.astype(float), kernel, 1), atol=1e-8)


@check("stream_layer", hint="Go through what the docstring says raises ValueError, also in the middle of a stream.")
def refuses_layers_that_do_not_fit(student, rng):
    frames, kernel = _layer(rng, 3, 5)
    _, state = _part(student(frames, None, kernel, 1, False), 2)
    for ahead, last in itertools.product((-1, 3, 4), (True, False)):
        expect.raises(student, ValueError, frames, None, kernel, ahead, last)
        expect.raises(student, ValueError, frames, state, kernel, ahead, last)
    for wrong in (frames[0], frames[:, :2], frames[np.newaxis], np.hstack([frames, frames])):
        expect.raises(student, ValueError, wrong, None, kernel, 1, False)
    expect.raises(student, ValueError, frames[:, :1], state, kernel, 1, True)
