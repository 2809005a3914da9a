"""The sequential test keeps its error rates, decides as a slow reading of its definition does, and refuses nonsense."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from course.capacity import Decision, Sequential, peek, slow_requests

TEST = Sequential(good=0.1, bad=0.2)


def decided_slowly(test, slow):
    """Likelihoods multiplied one by one, compared after each request."""
    good = bad = 1.0
    for after, outcome in enumerate(slow, 1):
        good *= test.good if outcome else 1 - test.good
        bad *= test.bad if outcome else 1 - test.bad
        if bad / good >= (1 - test.missed) / test.false_alarm:
            return Decision("roll back", after)
        if bad / good <= test.missed / (1 - test.false_alarm):
            return Decision("promote", after)
    return Decision("undecided", len(slow))


@given(st.lists(st.booleans(), max_size=150))
def test_it_decides_by_the_ratio_of_likelihoods(slow):
    assert TEST.decide(slow) == decided_slowly(TEST, slow)


@pytest.mark.parametrize("share", [0.1, 0.2, 0.15, 0.4])
def test_it_keeps_its_error_rates_and_its_length(share):
    drawn = np.random.default_rng(3)
    ends = [TEST.decide(drawn.random(3_000) < share) for _ in range(1_500)]
    back = np.mean([end.verdict == "roll back" for end in ends])
    if share == 0.1:
        assert back <= 0.065
    if share >= 0.2:
        assert back >= 0.935
    assert np.mean([end.after for end in ends]) == pytest.approx(TEST.expected(share), rel=0.2)


def test_the_expected_length_is_continuous_where_the_evidence_does_not_drift():
    passed, failed = TEST.steps
    level = passed / (passed - failed)
    near = [TEST.expected(level + shift) for shift in (-1e-5, 0, 1e-5)]
    assert near[1] == pytest.approx(near[0], rel=1e-2) and near[1] == pytest.approx(near[2], rel=1e-2)


def test_peeking_breaks_its_error_rate_and_one_look_does_not():
    drawn = np.random.default_rng(4)
    runs = drawn.random((600, 1_000)) < 0.1
    often = np.mean([peek(run, 0.1, every=20).verdict == "roll back" for run in runs])
    once = np.mean([peek(run, 0.1, every=1_000).verdict == "roll back" for run in runs])
    assert once < 0.08 and often > 0.15


@given(st.lists(st.booleans(), max_size=80), st.integers(1, 30))
def test_peeking_is_the_binomial_test_again_and_again(slow, every):
    found = peek(slow, 0.1, every)
    chances = {
        n: scipy.stats.binomtest(sum(slow[:n]), n, 0.1, "greater").pvalue for n in range(every, len(slow) + 1, every)
    }
    first = next((n for n, chance in chances.items() if chance <= 0.05), None)
    assert found == (Decision("roll back", first) if first else Decision("undecided", len(slow)))


def test_slow_requests_are_samples_drawn_again():
    seconds = [0.1, 0.2, 0.3, 0.4]
    assert slow_requests(seconds, 1.0, 0.4, 100, 0).sum() == 0
    assert slow_requests(seconds, 5.0, 0.4, 100, 0).sum() == 100
    assert slow_requests(seconds, 1.4, 0.4, 40_000, 0).mean() == pytest.approx(0.5, abs=0.02)
    assert np.array_equal(slow_requests(seconds, 1.4, 0.4, 50, 7), slow_requests(seconds, 1.4, 0.4, 50, 7))


def test_evidence_by_hand():
    assert TEST.evidence([True, False]).tolist() == pytest.approx([math.log(2), math.log(2) + math.log(0.8 / 0.9)])
    assert TEST.decide([]) == Decision("undecided", 0)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: Sequential(0.2, 0.1), "above the good one"),
        (lambda: Sequential(0.0, 0.1), "between 0 and 1"),
        (lambda: Sequential(0.1, 0.2, 0.6, 0.5), "add up to less than 1"),
        (lambda: TEST.decide([0.5]), "truth value"),
        (lambda: TEST.decide([[True]]), "truth value"),
        (lambda: TEST.expected(0.0), "slow requests"),
        (lambda: peek([True], 0.1, 0), "two looks"),
        (lambda: slow_requests([], 1.1, 0.2, 5, 0), "At least one sample"),
        (lambda: slow_requests([0.1], 1.1, 0.2, 0, 0), "requests"),
    ],
    ids=range(9),
)
def test_what_cannot_be_is_refused_with_a_sentence(call, said):
    with pytest.raises(ValueError, match=said):
        call()
