"""Mutants of the small lab by hand, and what a comparison says of them."""

import pytest

from autograder.check_grading import inputs
from autograder.check_grading.behaviour import comparisons
from autograder.check_grading.judging import compared
from autograder.check_grading.mutation import Mutant


@pytest.fixture(scope="session", autouse=True)
def fewer_inputs():
    """Inputs enough for what these tests look for; the command itself tries three times as many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inputs, "MOST_CHANGED", 400)
        patch.setattr(inputs, "MOST_DRAWN", 100)
        yield


@pytest.fixture(scope="session")
def small_comparisons(lab, fewer_inputs):
    """The inputs and reference answers of the small lab's tasks."""
    return comparisons(lab, lab.task_ids, seed=3, jobs=2)


@pytest.fixture(scope="session")
def verdict_on(lab, small_comparisons):
    """A function that compares a source for one task with the small lab's reference."""

    def compare(task_id, source):
        (verdict,) = compared(lab, [Mutant(task_id, "by hand", 1, source)], small_comparisons, jobs=1)
        assert verdict.fault is None
        return verdict

    return compare
