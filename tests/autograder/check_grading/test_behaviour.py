"""Differences between a solution and its reference: which are found, and what they are taken for."""

import numpy as np
import pytest

from autograder.check_grading.behaviour import Difference
from autograder.check_grading.inputs import Input, changed_inputs, drawn_inputs

EQUIVALENT = {
    "squares by multiplying": ("rms_level", "np.sqrt(np.mean(signal * signal)) if signal.size else 0.0"),
    "mean by hand": ("rms_level", "np.sqrt(np.sum(signal**2) / signal.size) if signal.size > 0 else 0.0"),
    "norm": ("rms_level", "np.linalg.norm(signal) / np.sqrt(max(signal.size, 1))"),
}
BROKEN = {
    "one sample counts as none": "float(np.sqrt(np.mean(signal**2))) if signal.size > 1 else 0.0",
    "wrong above a thousand": "float(np.sqrt(np.mean(np.minimum(signal**2, 1e6)))) if signal.size else 0.0",
    "an array for a number": "np.sqrt(np.mean(signal**2, keepdims=True)) if signal.size else 0.0",
    "None for silence": "float(np.sqrt(np.mean(signal**2))) if np.any(signal) else None",
}


def rms_level(expression):
    return f"def rms_level(signal):\n    signal = np.asarray(signal, dtype=float)\n    return float({expression})"


@pytest.mark.parametrize(("task_id", "expression"), EQUIVALENT.values(), ids=EQUIVALENT.keys())
def test_another_way_to_the_same_numbers_is_no_difference(verdict_on, task_id, expression):
    assert verdict_on(task_id, rms_level(expression)).difference is Difference.NONE


@pytest.mark.parametrize("expression", BROKEN.values(), ids=BROKEN.keys())
def test_what_a_text_covers_is_wrong(verdict_on, expression):
    source = f"def rms_level(signal):\n    signal = np.asarray(signal, dtype=float)\n    return {expression}"
    verdict = verdict_on("rms_level", source)
    assert verdict.difference is Difference.WRONG and verdict.differs_on > 0
    assert "expected" in verdict.example


def test_lists_where_the_checks_pass_arrays_are_not_documented(verdict_on):
    source = (
        "def normalise(signal, level):\n    current = rms_level(signal)\n    if current == 0:\n"
        "        raise ValueError('silence')\n    return signal * (level / current)"
    )
    assert verdict_on("normalise", source).difference is Difference.UNDOCUMENTED


def test_a_difference_that_no_check_could_see_is_within_the_latitude(verdict_on):
    source = rms_level("(1 + 1e-8) * np.sqrt(np.mean(signal**2)) if signal.size else 0.0")
    assert verdict_on("rms_level", source).difference is Difference.LATITUDE


def test_memory_between_calls_shows(verdict_on):
    source = "calls = []\n" + rms_level("np.sqrt(np.mean(signal**2)) if signal.size else 0.0").replace(
        "return", "calls.append(1)\n    return len(calls) // 100 +"
    )
    assert verdict_on("rms_level", source).difference is Difference.WRONG


def test_arguments_written_into_show(verdict_on):
    source = (
        "def rms_level(signal):\n    signal *= signal\n"
        "    return float(np.sqrt(np.mean(signal))) if signal.size else 0.0"
    )
    assert verdict_on("rms_level", source).difference is Difference.WRONG


def test_another_exception_is_a_difference(verdict_on):
    source = (
        "def normalise(signal, level):\n    current = rms_level(signal)\n    if current == 0:\n"
        "        raise ZeroDivisionError('silence')\n    return np.asarray(signal) * (level / current)"
    )
    assert verdict_on("normalise", source).difference is Difference.WRONG


def test_inputs_repeat_with_the_seed_and_differ_from_each_other(lab):
    drawn = drawn_inputs(lab, "rms_level", seed=5)
    again = drawn_inputs(lab, "rms_level", seed=5)
    assert all(np.array_equal(one.arguments[0], other.arguments[0]) for one, other in zip(drawn, again, strict=True))
    lengths = {len(one.arguments[0]) for one in drawn}
    changed = changed_inputs(drawn, seed=5)
    assert 0 in lengths and 1 not in lengths
    assert {0, 1, 2} <= {np.size(one.arguments[0]) for one in changed}
    assert any(np.isnan(one.arguments[0]).any() and not one.documented for one in changed)


def test_an_argument_that_some_checks_leave_out_may_change_too():
    drawn = [Input((np.ones(3),), True, documented=True), Input((np.ones(3), 1), True, documented=True)]
    assert {len(one.arguments) for one in changed_inputs(drawn, seed=2)} == {1, 2}


def test_the_inputs_that_checks_draw_are_documented(small_comparisons):
    for compared in small_comparisons.values():
        assert all(one.documented for one in compared.inputs if one.drawn)
        assert 0 < sum(one.documented for one in compared.inputs) < len(compared.inputs)
