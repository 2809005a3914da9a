"""Every lab of the kit, and the template for new ones, judged on known solutions by its own hidden checks.

The reference earns everything, the untouched release nothing, each wrong solution loses exactly its own task, a
fallback that is copied earns nothing, and no value that a student returns makes a check fall over.
"""

import ast
import contextlib
import itertools
import math

import numpy as np
import pytest

from course import kit as course_kit
from course.lab.build import release_notebook
from course.lab.cells import Role
from course.lab.checking import CheckFailed, StudentError, check_rng, run_task
from course.lab.new import new_lab
from course.lab.rehearsal import reference_sources, rehearse, rehearse_task, untouched_sources
from course.lab.source import lab_folders, read_lab

TEMPLATE = "the template"
LABS = [TEMPLATE, *(folder.name for folder in lab_folders())]
HOSTILE = [
    None,
    True,
    "text",
    math.nan,
    10**400,
    1j,
    [],
    [None],
    {"a": 1},
    np.zeros(0),
    np.full(7, np.nan),
    np.ones((2, 3)),
]


@pytest.fixture(scope="module", params=LABS)
def any_lab(request, tmp_path_factory):
    """Each lab of the kit, and a lab made from the template in a kit of its own."""
    if request.param != TEMPLATE:
        return read_lab(course_kit.root() / "labs" / request.param)
    folder = tmp_path_factory.mktemp("template") / "kit"
    for room in ("labs", "notebooks", "book"):
        (folder / room).mkdir(parents=True)
    (folder / "pyproject.toml").write_text("")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_ROOT", str(folder))
        return new_lab("lab90-from-the-template")


def points(lab, records):
    return {task.id: task.points if records[task.id].passed else 0 for task in lab.tasks}


def full(lab):
    return {task.id: task.points for task in lab.tasks}


@pytest.mark.parametrize("seed", ["one", "two", "three"])
def test_the_reference_earns_every_point(any_lab, seed):
    assert points(any_lab, rehearse(any_lab, reference_sources(any_lab), seed)) == full(any_lab)


def test_the_untouched_release_earns_nothing(any_lab):
    assert sum(points(any_lab, rehearse(any_lab, untouched_sources(any_lab))).values()) == 0


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_wrong_solution_loses_its_own_task(any_lab):
    for wrong in any_lab.wrong:
        record = rehearse_task(any_lab, wrong.task, reference_sources(any_lab) | {wrong.task: wrong.source})
        noticed = {one.name for one in record.records if not one.passed}
        assert wrong.fails in noticed, f"{wrong.path.name}: {wrong.fails} passes; {noticed} fail"


@pytest.mark.thorough
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_wrong_solutions_cost_no_other_task(any_lab):
    """Each wrong solution is there, beside wrong ones of all other tasks, while the rest is judged as solved."""
    wrong = {task_id: [one.source for one in any_lab.wrong if one.task == task_id] for task_id in any_lab.task_ids}
    for turn in range(max(map(len, wrong.values()))):
        all_wrong = {task_id: sources[turn % len(sources)] for task_id, sources in wrong.items()}
        for task_id, reference in reference_sources(any_lab).items():
            assert rehearse_task(any_lab, task_id, all_wrong | {task_id: reference}).passed, (turn, task_id)


def test_a_copied_fallback_earns_nothing(any_lab):
    for cell in any_lab.cells:
        if cell.role is Role.FALLBACK:
            copied = ast.unparse(cell.tree.body[0].body)
            task_id = cell.stands_in_for
            record = rehearse_task(any_lab, task_id, reference_sources(any_lab) | {task_id: copied})
            assert not record.passed, cell.id


def test_unsolved_tasks_cost_no_other(any_lab):
    stubs = untouched_sources(any_lab)
    for task_id, reference in reference_sources(any_lab).items():
        assert rehearse_task(any_lab, task_id, stubs | {task_id: reference}).passed, task_id


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_no_returned_value_makes_a_check_fall_over(any_lab):
    for task_id in any_lab.task_ids:
        for value in HOSTILE:
            record = run_task(any_lab.checks, task_id, lambda *_, value=value, **__: value, "seed")
            assert not record.passed, (task_id, value)


class Turncoat:
    """A student whose function is the oracle, but for the call of the number ``turn``, which returns ``value``."""

    def __init__(self, oracle, turn, value):
        self.oracle, self.turn, self.value, self.calls = oracle, turn, value, itertools.count()

    def __call__(self, *args, seconds=None, **kwargs):
        if next(self.calls) == self.turn:
            return self.value
        try:
            return self.oracle(*args, **kwargs)
        except Exception as error:
            raise StudentError(type(error).__name__, str(error)) from error


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("turn", [1, 2])
@pytest.mark.parametrize("value", [None, np.zeros(0)], ids=["none", "empty"])
def test_no_later_value_makes_a_check_fall_over(any_lab, turn, value):
    """The oracle answers, but for one call after the first; a check may pass or fail then, and nothing else."""
    for task_id, oracle in any_lab.checks.oracles.items():
        for one in any_lab.checks.of(task_id):
            turncoat = Turncoat(oracle, turn, value)
            with contextlib.suppress(CheckFailed):
                one.function(turncoat, check_rng("seed", task_id, one.name))


def test_the_release_is_clean(any_lab):
    assert release_notebook(any_lab).metadata.course.lab == any_lab.id
