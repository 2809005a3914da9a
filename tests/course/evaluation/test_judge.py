"""The swap test, on judges whose faults are known."""

import numpy as np
import pytest

from course.evaluation.judge import Pair, biased_judge, swap_test

PAIRS = [
    Pair("the caller lost a card", "lost a card", "asked for money"),
    Pair("the caller wants a loan", "wants a loan", "lost a card"),
    Pair("balance of the account", "account balance", "a transfer to a friend"),
]


def test_a_fair_judge_has_no_place():
    found = swap_test(biased_judge(position=0, length=0, skill=1), PAIRS)
    assert np.allclose(found.position_bias, 0) and found.consistent.all() and found.first_share == 0.5
    assert found.one_order().value == found.both_orders().value == 1


def test_a_judge_that_likes_the_first_place_is_found_out_and_put_right():
    found = swap_test(biased_judge(position=9, length=0, skill=1), PAIRS)
    assert np.allclose(found.position_bias, 9) and found.first_share == 1 and not found.consistent.any()
    assert found.one_order().value == 1 == found.both_orders().value


def test_a_judge_that_sees_only_the_place_looks_perfect_in_one_order():
    found = swap_test(biased_judge(position=1, length=0, skill=0), PAIRS)
    assert found.one_order().value == 1 and found.both_orders().value == 0


def test_the_swap_does_not_take_length_out():
    longer = [Pair(pair.document, pair.good, pair.good + " as was said before") for pair in PAIRS]
    found = swap_test(biased_judge(position=0, length=0.5, skill=1), longer)
    assert found.consistent.all() and (found.preference < 0).all()


def test_bad_judges_and_no_pairs_are_sentences():
    with pytest.raises(ValueError, match="At least one pair"):
        swap_test(biased_judge(0, 0, 0), [])
    for bad in (lambda asked: [1.0], lambda asked: [float("nan")] * 6):
        with pytest.raises(ValueError, match="One finite number"):
            swap_test(bad, PAIRS)
