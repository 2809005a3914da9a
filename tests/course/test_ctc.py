"""CTC against exhaustive sums over paths, PyTorch's loss, finite differences, and what people get wrong."""

import itertools
import math

import numpy as np
import pytest

from course.ctc import (
    WordGrammar,
    backward_scores,
    collapse,
    count_ctc,
    count_hmm,
    count_transducer,
    ctc_gradient,
    ctc_loss,
    every_alignment,
    forced_alignment,
    forward_scores,
    frames_needed,
    greedy,
    occupancy,
    prefix_beam,
    spans,
    total_log_probability,
    with_blanks,
    word_spans,
)

TARGETS = [(), (1,), (1, 2), (1, 1), (2, 1, 2), (1, 1, 1), (1, 2, 2, 1)]


def random_log_probs(rng, n_frames, n_symbols, sharpness=1.0):
    logits = sharpness * rng.standard_normal((n_frames, n_symbols))
    return logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)


def path_log_prob(log_probs, path):
    return sum(log_probs[t, symbol] for t, symbol in enumerate(path))


def exhaustive(log_probs, blank=0):
    """Meaning to summed probability, over every path there is; collapses by another way than the module."""
    sums = {}
    for path in itertools.product(range(log_probs.shape[1]), repeat=len(log_probs)):
        kept = [s for t, s in enumerate(path) if s != blank and (t == 0 or path[t - 1] != s)]
        sums[tuple(kept)] = sums.get(tuple(kept), 0.0) + math.exp(path_log_prob(log_probs, path))
    return sums


# ------------------------------------------------------------------------------------------------------- the lattice


@pytest.mark.parametrize(
    ("path", "meaning"),
    [
        ((), ()),
        ((0, 0, 0), ()),
        ((1, 1, 1), (1,)),
        ((1, 0, 1), (1, 1)),
        ((1, 1, 0, 0, 1, 2), (1, 1, 2)),
        ((0, 3, 3, 0, 0, 3, 0), (3, 3)),
    ],
)
def test_paths_collapse_repeats_first_then_blanks(path, meaning):
    assert collapse(path) == meaning


def test_another_symbol_can_be_the_blank():
    assert collapse((0, 2, 0, 1, 2), blank=2) == (0, 0, 1)
    assert with_blanks((0, 1), blank=2) == [2, 0, 2, 1, 2]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("n_frames", range(6))
def test_closed_forms_count_what_trying_every_path_finds(target, n_frames):
    found = list(every_alignment(target, n_frames, 3))
    assert count_ctc(target, n_frames) == len(found) == len(set(found))
    assert (frames_needed(target) <= n_frames) == bool(found)


@pytest.mark.parametrize(("n_labels", "n_frames"), list(itertools.product(range(1, 5), range(1, 7))))
def test_the_other_two_lattices_are_counted_by_enumeration(n_labels, n_frames):
    monotone = [
        path
        for path in itertools.product(range(n_labels), repeat=n_frames)
        if path[0] == 0 and path[-1] == n_labels - 1 and all(b - a in (0, 1) for a, b in itertools.pairwise(path))
    ]
    assert count_hmm(n_labels, n_frames) == len(monotone)
    orders = set(itertools.permutations("l" * n_labels + "b" * (n_frames - 1))) if n_labels + n_frames < 9 else None
    if orders is not None:
        assert count_transducer(n_labels, n_frames) == len(orders)


# -------------------------------------------------------------------------------------------- loss, gradient, shares


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("n_frames", [1, 2, 4, 6])
def test_loss_is_the_exhaustive_sum(target, n_frames):
    log_probs = random_log_probs(np.random.default_rng(n_frames), n_frames, 3)
    probability = exhaustive(log_probs).get(target, 0.0)
    expected = -math.log(probability) if probability else math.inf
    assert ctc_loss(log_probs, target) == pytest.approx(expected, rel=1e-12)


def test_loss_equals_pytorchs_on_random_inputs():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    for _ in range(30):
        n_frames, n_symbols = int(rng.integers(1, 40)), int(rng.integers(2, 9))
        blank = int(rng.integers(n_symbols))
        labels = [label for label in range(n_symbols) if label != blank]
        target = rng.choice(labels, size=int(rng.integers(0, 12)))
        log_probs = random_log_probs(rng, n_frames, n_symbols, sharpness=3)
        theirs = torch.nn.functional.ctc_loss(
            torch.from_numpy(log_probs)[:, None],
            torch.from_numpy(target)[None],
            torch.tensor([n_frames]),
            torch.tensor([target.size]),
            blank=blank,
            reduction="sum",
        )
        assert ctc_loss(log_probs, target, blank) == pytest.approx(float(theirs), rel=1e-9, abs=1e-9)


def test_gradient_equals_pytorchs_and_finite_differences():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(1)
    logits = rng.standard_normal((7, 4))
    target = [2, 2, 1]

    def loss(values):
        return ctc_loss(values - np.logaddexp.reduce(values, axis=1, keepdims=True), target)

    gradient = ctc_gradient(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True), target)
    numeric = np.zeros_like(logits)
    for place in np.ndindex(*logits.shape):
        step = np.zeros_like(logits)
        step[place] = 1e-6
        numeric[place] = (loss(logits + step) - loss(logits - step)) / 2e-6
    assert gradient == pytest.approx(numeric, abs=1e-8)

    leaf = torch.from_numpy(logits).requires_grad_()
    torch.nn.functional.ctc_loss(
        leaf.log_softmax(-1)[:, None], torch.tensor([target]), torch.tensor([7]), torch.tensor([3]), reduction="sum"
    ).backward()
    assert gradient == pytest.approx(leaf.grad.numpy(), abs=1e-10)
    assert gradient.sum(axis=1) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("target", TARGETS)
def test_forward_and_backward_agree_in_every_frame(target):
    log_probs = random_log_probs(np.random.default_rng(2), 7, 3)
    through = np.logaddexp.reduce(forward_scores(log_probs, target) + backward_scores(log_probs, target), axis=1)
    assert through == pytest.approx(-ctc_loss(log_probs, target), rel=1e-12)


def test_occupancy_is_the_share_of_paths_through_each_symbol():
    log_probs = random_log_probs(np.random.default_rng(3), 6, 3)
    shares = np.zeros_like(log_probs)
    for path in every_alignment((1, 2, 1), 6, 3):
        shares[range(6), path] += math.exp(path_log_prob(log_probs, path))
    shares /= shares.sum(axis=1, keepdims=True)
    assert occupancy(log_probs, (1, 2, 1)) == pytest.approx(shares, abs=1e-12)


def test_a_long_utterance_does_not_underflow():
    log_probs = random_log_probs(np.random.default_rng(4), 1_500, 30, sharpness=4)
    loss = ctc_loss(log_probs, list(range(1, 30)) * 2)
    assert np.isfinite(loss) and loss > 745  # exp(-745) is the least float64 above 0


def test_a_target_longer_than_its_frames_has_probability_zero():
    log_probs = random_log_probs(np.random.default_rng(5), 3, 3)
    assert ctc_loss(log_probs, (1, 2, 1, 2)) == math.inf
    assert ctc_loss(log_probs, (1, 1)) < math.inf
    assert ctc_loss(log_probs[:2], (1, 1)) == math.inf  # the blank between the two needs a third frame
    for function in (occupancy, ctc_gradient, forced_alignment):
        with pytest.raises(ValueError, match="frames"):
            function(log_probs[:2], (1, 1))


def test_nothing_said_in_no_frames_is_certain():
    nothing = np.zeros((0, 3))
    assert ctc_loss(nothing, ()) == 0 and ctc_loss(nothing, (1,)) == math.inf
    assert greedy(nothing) == () and prefix_beam(nothing) == [((), 0.0)]
    assert occupancy(nothing, ()).shape == (0, 3)


def test_an_empty_target_is_all_blanks():
    log_probs = random_log_probs(np.random.default_rng(6), 5, 3)
    assert ctc_loss(log_probs, ()) == pytest.approx(-log_probs[:, 0].sum())
    path, score = forced_alignment(log_probs, ())
    assert path.tolist() == [0] * 5 and score == pytest.approx(log_probs[:, 0].sum())
    assert spans(path, ()) == []


@pytest.mark.parametrize(
    ("log_probs", "target", "blank", "error", "sentence"),
    [
        (np.zeros((4, 3)), (1,), 0, ValueError, "sum to 1.*log_softmax"),
        (np.full((4, 3), 1 / 3), (1,), 0, ValueError, "sum to 1"),
        (np.full((4, 3), np.nan), (1,), 0, ValueError, "NaN"),
        (np.log(np.full(3, 1 / 3)), (1,), 0, ValueError, "n_frames, n_symbols"),
        (np.log(np.full((1, 4, 3), 1 / 3)), (1,), 0, ValueError, "one utterance"),
        (np.log(np.full((4, 3), 1 / 3)), (3,), 0, ValueError, "between 0 and 2"),
        (np.log(np.full((4, 3), 1 / 3)), (-1,), 0, ValueError, "between 0 and 2"),
        (np.log(np.full((4, 3), 1 / 3)), (1, 0), 0, ValueError, "other than the blank"),
        (np.log(np.full((4, 3), 1 / 3)), (1,), 7, ValueError, "blank, 7"),
        (np.log(np.full((4, 3), 1 / 3)), (1.5,), 0, TypeError, "whole numbers"),
        (np.log(np.full((4, 3), 1 / 3)), "ab", 0, TypeError, "Encode the text"),
    ],
)
def test_bad_input_gets_a_sentence(log_probs, target, blank, error, sentence):
    target = list(target) if isinstance(target, str) else target
    for function in (ctc_loss, forward_scores, backward_scores, occupancy, forced_alignment):
        with pytest.raises(error, match=sentence):
            function(log_probs, target, blank)


# ---------------------------------------------------------------------------------------------------------- decoding


@pytest.mark.parametrize("seed", range(12))
def test_a_beam_that_keeps_all_is_the_exhaustive_ranking(seed):
    rng = np.random.default_rng(seed)
    log_probs = random_log_probs(rng, int(rng.integers(1, 7)), 3, sharpness=1.5)
    sums = exhaustive(log_probs)
    ranked = prefix_beam(log_probs, width=None)
    assert {prefix for prefix, _ in ranked} == set(sums)
    for prefix, score in ranked:
        assert score == pytest.approx(math.log(sums[prefix]), rel=1e-9, abs=1e-12)
    assert ranked[0][0] == max(sums, key=sums.get)
    assert total_log_probability(ranked) == pytest.approx(0, abs=1e-9)


def test_the_best_path_need_not_be_the_best_labelling():
    log_probs = np.log([[0.6, 0.4], [0.6, 0.4]])
    assert greedy(log_probs) == ()
    best, score = prefix_beam(log_probs)[0]
    assert best == (1,) and math.exp(score) == pytest.approx(0.64)


def test_a_doubled_letter_needs_its_blank():
    spoken = np.log(np.array([[0.01, 0.99], [0.98, 0.02], [0.01, 0.99]]))
    held = np.log(np.array([[0.01, 0.99], [0.02, 0.98], [0.01, 0.99]]))
    assert prefix_beam(spoken)[0][0] == greedy(spoken) == (1, 1)
    assert prefix_beam(held)[0][0] == greedy(held) == (1,)


def test_a_narrow_beam_scores_no_more_than_the_exact_sum():
    log_probs = random_log_probs(np.random.default_rng(7), 6, 3)
    sums = exhaustive(log_probs)
    for width in (1, 2, 4, 8):
        candidates = prefix_beam(log_probs, width)
        assert len(candidates) <= width
        assert all(score <= math.log(sums[prefix]) + 1e-9 for prefix, score in candidates)


def test_a_floor_leaves_out_unlikely_symbols_only():
    log_probs = random_log_probs(np.random.default_rng(8), 8, 4, sharpness=6)
    exact, quick = prefix_beam(log_probs, 50), prefix_beam(log_probs, 50, floor=-12.0)
    assert exact[0][0] == quick[0][0] and quick[0][1] == pytest.approx(exact[0][1], abs=1e-4)


def test_a_beam_needs_room():
    with pytest.raises(ValueError, match="width of 0"):
        prefix_beam(np.log([[0.5, 0.5]]), width=0)


SPACE = 3
LEXICON = {"a": (1,), "ab": (1, 2), "ba": (2, 1), "bb": (2, 2)}


def sentences(most):
    for count in range(most + 1):
        yield from itertools.product(LEXICON, repeat=count)


def spelled(words):
    labels = []
    for word in words:
        labels += [*([SPACE] if labels else []), *LEXICON[word]]
    return tuple(labels)


def toy_model(history, word):
    """Likes alternation, never says 'bb' first."""
    if word is None:
        return -1.0
    if word == "bb" and not history:
        return -math.inf
    return -0.2 if history and history[-1] != word else -1.5


@pytest.mark.parametrize(("model", "weight", "bonus"), [(None, 1.0, 0.0), (toy_model, 1.0, 0.0), (toy_model, 0.7, 0.9)])
@pytest.mark.parametrize("seed", range(4))
def test_a_lexicon_beam_is_the_exhaustive_search_over_sentences(model, weight, bonus, seed):
    log_probs = random_log_probs(np.random.default_rng(seed), 6, 4, sharpness=2)
    sums = exhaustive(log_probs)
    expected = {}
    for words in sentences(3):
        labels = spelled(words)
        if labels in sums:
            score = math.log(sums[labels]) + bonus * len(words)
            if model:
                score += weight * sum(model(words[:i], word) for i, word in enumerate(words))
                score += weight * model(words, None)
            if score > -math.inf:
                expected[labels] = score
    found = dict(prefix_beam(log_probs, None, WordGrammar(LEXICON, SPACE, model, weight, bonus)))
    assert set(found) == set(expected)
    assert all(found[labels] == pytest.approx(expected[labels], abs=1e-9) for labels in expected)


def test_a_grammar_that_lets_nothing_end_finds_nothing():
    log_probs = np.log([[1 / 4] * 4])
    only_long = WordGrammar({"abba": (1, 2, 2, 1)}, SPACE, lambda history, word: -math.inf if word is None else 0.0)
    assert prefix_beam(log_probs, None, only_long) == []
    with pytest.raises(ValueError, match="lexicon"):
        WordGrammar({}, SPACE)
    with pytest.raises(ValueError, match="lexicon"):
        WordGrammar({"silence": ()}, SPACE)


# -------------------------------------------------------------------------------------------------- forced alignment


@pytest.mark.parametrize("target", [t for t in TARGETS if t])
@pytest.mark.parametrize("seed", range(3))
def test_the_forced_alignment_is_the_best_of_all(target, seed):
    log_probs = random_log_probs(np.random.default_rng(seed), 7, 3)
    path, score = forced_alignment(log_probs, target)
    assert score == pytest.approx(max(path_log_prob(log_probs, p) for p in every_alignment(target, 7, 3)))
    symbols = np.array(with_blanks(target))[path]
    assert collapse(symbols) == target and path_log_prob(log_probs, symbols) == pytest.approx(score)
    found = spans(path, target)
    assert [span.label for span in found] == list(target)
    assert all(a.end <= b.start for a, b in itertools.pairwise(found))


def test_words_reach_from_their_first_to_their_last_label():
    target = [1, 2, SPACE, 1]
    states = [0, 1, 1, 2, 3, 4, 5, 6, 7, 7]
    words = word_spans(np.array(states), target, SPACE)
    assert [(word.label, word.start, word.end) for word in words] == [(0, 1, 5), (1, 8, 10)]


def test_a_path_of_probability_zero_is_refused():
    log_probs = np.array([[0.0, -np.inf], [0.0, -np.inf]])
    with pytest.raises(ValueError, match="probability above 0"):
        forced_alignment(log_probs, (1,))
    assert ctc_loss(log_probs, (1,)) == math.inf
