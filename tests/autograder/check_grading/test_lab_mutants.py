"""Every lab through the command's own functions: all declared wrong solutions, and a sample of the mutants."""

import pytest

from autograder.check_grading.command import check_mutants
from autograder.check_grading.matrix import graded_solutions
from course.lab.source import lab_folders, read_lab

SAMPLE = 60
# `course lab check-grading` asks for 95 % of all mutants; a sample that is 95 % right is rarely below this.
SHARE = 0.85


FIRST, *OTHERS = (folder.name for folder in lab_folders())
# Minutes for each lab: `make test` takes the first one through, the nights take all.
LABS = [FIRST, *(pytest.param(name, marks=pytest.mark.thorough) for name in OTHERS)]


@pytest.fixture(scope="module", params=LABS)
def lab(request):
    return read_lab(next(folder for folder in lab_folders() if folder.name == request.param))


def test_every_known_solution_earns_what_it_should(lab):
    rows = list(graded_solutions(lab, lab.task_ids, seed=1, jobs=2))
    assert len(rows) == len(lab.wrong) + 2
    assert [problem for row in rows for problem in row.problems] == []


def test_hidden_checks_catch_nearly_all_mutants(lab):
    """A sample; `course lab check-grading LAB` judges all of them."""
    report = check_mutants(lab, lab.task_ids, seed=1, jobs=2, sample=SAMPLE)
    assert len(report.mutants) == SAMPLE
    assert [one.diff for one in report.mutants if one.fault] == []
    assert report.share >= SHARE
