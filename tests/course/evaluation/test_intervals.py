"""Intervals of accuracies and differences: against scipy, by coverage, for groups, and on bad input."""

import numpy as np
import pytest
import scipy.stats

from course.evaluation.intervals import Interval, accuracy_interval, coverage, paired_difference, sign_test


def test_the_interval_is_near_that_of_the_normal_approximation(rng):
    right = rng.random(2_000) < 0.7
    found = accuracy_interval(right, n=4000)
    half = 1.96 * np.sqrt(right.mean() * (1 - right.mean()) / right.size)
    assert found.value == pytest.approx(right.mean())
    assert found.low == pytest.approx(right.mean() - half, abs=0.002)
    assert found.high == pytest.approx(right.mean() + half, abs=0.002)


def test_it_covers_what_it_claims_and_a_smaller_level_covers_less():
    def interval(rng, level):
        return accuracy_interval(rng.random(150) < 0.7, n=300, level=level, seed=int(rng.integers(2**31)))

    assert 0.91 < coverage(lambda rng: interval(rng, 0.95), 0.7, 500) < 0.98
    assert 0.74 < coverage(lambda rng: interval(rng, 0.8), 0.7, 500) < 0.86


def test_examples_that_stand_together_need_groups():
    """Of 20 calls with 10 turns each, all turns of a call are right or wrong together."""

    def by(groups):
        def interval(rng):
            right = np.repeat(rng.random(20) < 0.7, 10)
            return accuracy_interval(right, groups, n=300, seed=int(rng.integers(2**31)))

        return coverage(interval, 0.7, 300)

    assert by(None) < 0.6 < 0.85 < by(np.repeat(np.arange(20), 10).tolist())


def test_groups_of_one_are_no_groups(rng):
    right = rng.random(80) < 0.6
    assert accuracy_interval(right) == accuracy_interval(right, list(range(80)))


def test_a_paired_difference_is_narrower_than_two_intervals(rng):
    hard = rng.random(300)
    a, b = hard < 0.75, hard < 0.70
    paired = paired_difference(a, b)
    assert paired.is_beyond_chance and paired.value == pytest.approx(a.mean() - b.mean())
    alone = [accuracy_interval(x) for x in (a, b)]
    assert paired.high - paired.low < 0.5 * sum(x.high - x.low for x in alone)
    assert alone[0].low < alone[1].high


def test_swapping_the_systems_turns_the_sign(rng):
    a, b = rng.random((2, 100)) < 0.6
    there, back = paired_difference(a, b), paired_difference(b, a)
    assert there.value == pytest.approx(-back.value) and there.low == pytest.approx(-back.high)


def test_equal_systems_do_not_differ(rng):
    a = rng.random(50) < 0.6
    assert (
        paired_difference(a, a) == (0, 0, 0) and not paired_difference(a, a).is_beyond_chance and sign_test(a, a) == 1
    )


def test_the_sign_test_counts_coins():
    a, b = np.array([1] * 9 + [0] + [1] * 30), np.array([0] * 9 + [1] + [1] * 30)
    assert sign_test(a, b) == pytest.approx(2 * (1 + 10) / 2**10)
    assert sign_test(a, b) == pytest.approx(scipy.stats.binomtest(9, 10).pvalue)


def test_the_sign_test_and_the_bootstrap_mostly_agree(rng):
    agree = 0
    for _ in range(60):
        a, b = rng.random(200) < 0.72, rng.random(200) < 0.66
        agree += (sign_test(a, b) < 0.05) == paired_difference(a, b, n=400).is_beyond_chance
    assert agree >= 54


def test_an_interval_reads_as_text():
    assert Interval(0.7142, 0.66, 0.7651).percent() == "71.4 % (66.0 to 76.5)"
    assert Interval(0.01, -0.02, 0.04).percent(0) == "1 % (−2 to 4)"


@pytest.mark.parametrize("bad", [[], [[True]], [0.5, 1], [2, 0]])
def test_answers_that_are_none_are_refused(bad):
    with pytest.raises(ValueError, match="True \\(right\\) or False"):
        accuracy_interval(bad)


def test_other_bad_input_is_a_sentence():
    with pytest.raises(ValueError, match="3 and 2 came"):
        paired_difference([1, 0, 1], [1, 0])
    with pytest.raises(ValueError, match="3 and 2 came"):
        sign_test([1, 0, 1], [1, 0])
    with pytest.raises(ValueError, match="group for each of 3 examples"):
        accuracy_interval([1, 0, 1], [1, 2])
    with pytest.raises(ValueError, match="At least one repeat"):
        coverage(lambda rng: Interval(0, 0, 0), 0, 0)
