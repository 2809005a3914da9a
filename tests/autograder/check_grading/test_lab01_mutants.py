"""Lab 1 through the command's own functions: all declared wrong solutions, and a sample of the mutants."""

from pathlib import Path

import pytest

from autograder.check_grading.command import check_mutants
from autograder.check_grading.matrix import graded_solutions
from course.lab.source import read_lab

FOLDER = Path(__file__).parents[3] / "labs" / "lab01-sound-as-numbers"


@pytest.fixture(scope="module")
def lab01():
    return read_lab(FOLDER)


def test_every_known_solution_of_lab_1_earns_what_it_should(lab01):
    rows = list(graded_solutions(lab01, lab01.task_ids, seed=1, jobs=2))
    assert len(rows) == len(lab01.wrong) + 2
    assert [problem for row in rows for problem in row.problems] == []


def test_hidden_checks_catch_nearly_all_mutants_of_lab_1(lab01):
    """One mutant in eight; `course lab check-grading lab01` judges all of them."""
    report = check_mutants(lab01, lab01.task_ids, seed=1, jobs=2, sample=90)
    assert len(report.mutants) == 90
    assert [one.diff for one in report.mutants if one.fault] == []
    assert report.share >= 0.95
