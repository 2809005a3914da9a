"""Word error rates against jiwer and against brute force, and intervals against simulated recognisers."""

import itertools

import jiwer
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.scoring import align_words, bootstrap_interval, normalise, paired_bootstrap, word_error_rate

WORDS = st.lists(st.sampled_from(["one", "two", "three"]), max_size=8)


def fewest_errors(said: list[str], heard: list[str]) -> int:
    """The edit distance by trying every way to pair words that keeps their order."""
    best = len(said) + len(heard)
    for n_pairs in range(min(len(said), len(heard)) + 1):
        for some in itertools.combinations(said, n_pairs):
            for others in itertools.combinations(heard, n_pairs):
                wrong = sum(a != b for a, b in zip(some, others, strict=True))
                best = min(best, wrong + len(said) + len(heard) - 2 * n_pairs)
    return best


@given(st.lists(st.sampled_from("abc"), max_size=5), st.lists(st.sampled_from("abc"), max_size=5))
def test_alignment_has_as_few_errors_as_brute_force(said, heard):
    assert align_words(said, heard).errors == fewest_errors(said, heard)


@given(WORDS, WORDS)
def test_operations_spell_out_both_sides_and_add_up(said, heard):
    alignment = align_words(said, heard)
    assert [word for _, word, _ in alignment.ops if word is not None] == said
    assert [word for _, _, word in alignment.ops if word is not None] == heard
    assert alignment.n_words == len(said)
    assert alignment.errors == alignment.substitutions + alignment.deletions + alignment.insertions
    assert all((op == "correct") == (a == b) for op, a, b in alignment.ops)


@given(st.lists(st.tuples(WORDS.filter(len), WORDS), min_size=1, max_size=6))
def test_word_error_rate_equals_jiwer(pairs):
    references = [" ".join(said) for said, _ in pairs]
    hypotheses = [" ".join(heard) for _, heard in pairs]
    assert word_error_rate(references, hypotheses) == pytest.approx(jiwer.wer(references, hypotheses))


@pytest.mark.parametrize(
    ("reference", "hypothesis", "rate"),
    [
        ("", "", 0.0),
        ("", "one", float("inf")),
        ("one two", "", 1.0),
        ("one", "one one one", 2.0),
        (["one", ""], ["one", "two"], 1.0),
    ],
)
def test_edge_cases(reference, hypothesis, rate):
    assert word_error_rate(reference, hypothesis) == rate


def test_mismatched_lists_are_refused():
    with pytest.raises(ValueError, match="2 references and 1 hypotheses came"):
        word_error_rate(["a", "b"], ["a"])
    with pytest.raises(ValueError, match="0 references"):
        word_error_rate([], [])
    with pytest.raises(TypeError, match="text or a list of words"):
        align_words([1, 2], "one")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ""),
        ("… !?", ""),
        ("Hello, WORLD.", "hello world"),
        ("Mr. O'Neil don’t 'quote'", "mister o'neil don't quote"),
        ("long-term café", "long term cafe"),
        ("Press 1, 20, 42 or 1003", "press one twenty forty two or one thousand three"),
        ("12,500 007 100%", "one two five zero zero zero zero seven one hundred percent"),
        ("straße B2B", "straße b two b"),
        ("Ⅷ ½", "viii one two"),
    ],
)
def test_normalised_text(text, words):
    assert normalise(text) == words


@given(st.text(max_size=40))
def test_normalising_twice_changes_nothing(text):
    once = normalise(text)
    assert normalise(once) == once


def test_numbers_are_said_as_people_say_them():
    for value in range(10_000):
        words = normalise(str(value)).split()
        assert words and all(word.isalpha() for word in words)
    assert len({normalise(str(value)) for value in range(10_000)}) == 10_000


def test_the_interval_holds_the_true_rate_about_as_often_as_it_says(rng):
    """Recognisers with a known error rate; errors cluster in utterances, as they do in speech."""
    held = 0
    for trial in range(200):
        words = rng.integers(3, 12, 120)
        difficulty = rng.beta(2, 8, 120)
        errors = rng.binomial(words, difficulty)
        low, high = bootstrap_interval(errors, words, n=300, seed=trial)
        held += low <= 0.2 <= high
    assert 0.88 <= held / 200 <= 0.99


def test_the_interval_is_deterministic_and_ordered():
    errors, words = [0, 1, 2, 0, 3], [4, 4, 4, 4, 4]
    low, high = bootstrap_interval(errors, words)
    assert (low, high) == bootstrap_interval(errors, words)
    assert 0 <= low <= 6 / 20 <= high
    narrow = bootstrap_interval(errors, words, level=0.5)
    assert low <= narrow[0] <= narrow[1] <= high


def test_an_interval_of_no_error_is_empty():
    assert bootstrap_interval([0, 0], [3, 4]) == (0.0, 0.0)


def test_pairing_cancels_what_is_hard_for_both(rng):
    words = np.full(200, 5)
    hard = rng.binomial(5, rng.beta(1, 3, 200))
    better = np.maximum(0, hard - rng.binomial(1, 0.3, 200))
    difference, low, high = paired_bootstrap(hard, better, words)
    assert difference == pytest.approx((hard.sum() - better.sum()) / 1000)
    assert 0 < low <= difference <= high
    alone = bootstrap_interval(hard, words)
    assert high - low < (alone[1] - alone[0]) / 2


def test_a_system_does_not_differ_from_itself(rng):
    errors = rng.integers(0, 3, 50)
    assert paired_bootstrap(errors, errors, np.full(50, 4)) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("errors", "words", "options", "message"),
    [
        ([], [], {}, "at least one"),
        ([1], [1, 2], {}, "shapes"),
        ([[1]], [[1]], {}, "shapes"),
        ([-1], [2], {}, "none below 0"),
        ([np.nan], [2], {}, "none below 0"),
        ([0], [0], {}, "at least one word"),
        ([1], [2], {"level": 1.0}, "level between 0 and 1"),
        ([1], [2], {"n": 0}, "At least one draw"),
    ],
)
def test_impossible_counts_are_refused(errors, words, options, message):
    with pytest.raises(ValueError, match=message):
        bootstrap_interval(errors, words, **options)
