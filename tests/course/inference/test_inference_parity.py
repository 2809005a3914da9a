"""Measures of parity on cases with a known answer, and what they must refuse."""

import math

import pytest
import torch

from course.errors import CourseError
from course.inference.limits import LIMITS
from course.inference.parity import Parity, compare, require


def test_equal_logits_are_equal():
    logits = torch.randn(3, 4, 7)
    parity = compare(logits, logits.clone())
    assert (parity.rows, parity.rel_l2, parity.max_abs, parity.top1, parity.kl) == (12, 0.0, 0.0, 1.0, 0.0)
    assert require(parity, "float32") is parity


def test_the_measures_of_a_case_worked_by_hand():
    reference = torch.tensor([[0.0, math.log(3.0)]])  # a quarter, three quarters
    other = torch.tensor([[0.0, 0.0]])  # a half each
    parity = compare(reference, other)
    assert parity.rel_l2 == pytest.approx(1.0)
    assert parity.max_abs == pytest.approx(math.log(3.0))
    assert parity.kl == pytest.approx(0.25 * math.log(0.5) + 0.75 * math.log(1.5))
    assert parity.top1 == 0.0


def test_a_constant_changes_logits_but_no_distribution():
    logits = torch.randn(5, 9)
    parity = compare(logits, logits + 3.0)
    assert parity.kl == pytest.approx(0.0, abs=1e-12)
    assert parity.rel_l2 > 0.1


def test_each_limit_that_is_broken_has_its_sentence():
    bad = Parity(rows=1, rel_l2=1.0, max_abs=1.0, top1=0.5, kl=2.0)
    assert len(bad.failures(LIMITS["float32"])) == 3
    assert len(bad.failures(LIMITS["int8"])) == 2
    with pytest.raises(CourseError, match=r"differ by 1 .*0.0001 is allowed.*nats.*50.0%.*not reported"):
        require(bad, "float32")


def test_what_is_not_a_number_fails_every_limit():
    nan = float("nan")
    assert len(Parity(1, nan, nan, nan, nan).failures(LIMITS["float32"])) == 3


def test_bad_input():
    with pytest.raises(ValueError, match="equal shape"):
        compare(torch.zeros(2, 3), torch.zeros(3, 2))
    with pytest.raises(ValueError, match="equal shape"):
        compare(torch.zeros(0, 3), torch.zeros(0, 3))
    with pytest.raises(ValueError, match="1 of the other's logits are not finite"):
        compare(torch.zeros(2, 3), torch.tensor([[0, 0, 0], [0, 0, math.inf]]))
    with pytest.raises(CourseError, match="No limits of parity are known for 'int2'"):
        require(compare(torch.zeros(1, 2), torch.zeros(1, 2)), "int2")
