"""Mutants judged by hidden checks: what catches them, that the tool can fail, and that nothing hangs."""

import os
import time
from dataclasses import replace

import pytest

from autograder.check_grading.behaviour import Difference
from autograder.check_grading.children import run_each
from autograder.check_grading.command import check_mutants
from autograder.check_grading.judging import first_failure, judged_by_checks
from autograder.check_grading.mutation import Mutant
from course.errors import CourseError
from course.lab.checking import Check, CheckFailed, Checks
from course.lab.rehearsal import reference_sources


@pytest.fixture(scope="module")
def found(lab):
    """The small lab's report on all of its mutants."""
    return check_mutants(lab, lab.task_ids, seed=1, jobs=2)


def without(lab, name):
    """The lab without one of its checks."""
    kept = {task: [one for one in checks if one.name != name] for task, checks in lab.checks.by_task.items()}
    return replace(lab, checks=replace(lab.checks, by_task=kept))


def of_difference(report, difference):
    return {(one.line, one.change) for one in report.mutants if one.difference is difference}


def test_every_mutant_is_accounted_for(found):
    assert len(found.mutants) == 76
    assert all((one.caught_by is None) != (one.difference is None) for one in found.mutants)
    caught = sum(one.caught_by is not None for one in found.mutants)
    wrong = len(of_difference(found, Difference.WRONG))
    assert found.share == caught / (caught + wrong)


@pytest.mark.parametrize("name", ["empty_signal_is_silent", "counts_whole_frames"])
def test_a_check_taken_away_lets_wrong_mutants_through(lab, found, name):
    task = next(task for task, checks in lab.checks.by_task.items() if name in [one.name for one in checks])
    weaker = check_mutants(without(lab, name), [task], seed=1, jobs=2)
    before = {change for change in of_difference(found, Difference.WRONG)}
    assert len(of_difference(weaker, Difference.WRONG) - before) >= 2
    assert weaker.share < found.share


def test_a_reference_that_fails_its_own_check_is_named(lab):
    def never(student, rng):
        raise CheckFailed("whatever the answer")

    broken = Checks(lab.checks.path, {"rms_level": [Check("rms_level", "never", "Never.", never, 1)]}, {})
    with pytest.raises(CourseError, match="rms_level fails its own check never"):
        list(judged_by_checks(replace(lab, checks=broken), [Mutant("rms_level", "none", 1, "")], 1, 1))


@pytest.mark.parametrize(
    ("body", "caught_by"),
    [
        ("while True:\n        pass", "agrees_on_noise"),
        ("return [0] * 10**11", "agrees_on_noise"),
        ("return rms_level(signal)", "agrees_on_noise"),
        ("import os; os._exit(0)", "crash"),
        ("raise SystemExit", "agrees_on_noise"),
    ],
    ids=["endless", "memory", "recursion", "exit", "system-exit"],
)
def test_mutants_that_run_away_are_caught(lab, body, caught_by):
    mutant = Mutant("rms_level", "by hand", 1, f"def rms_level(signal):\n    {body}")
    (verdict,) = judged_by_checks(lab, [mutant], seed=1, jobs=1)
    assert (verdict.caught_by, verdict.fault) == (caught_by, None)


def test_the_first_failed_check_is_named(lab):
    for wrong in lab.wrong:
        assert first_failure(lab, wrong.task, wrong.source, seed=2) is not None
    assert first_failure(lab, "rms_level", reference_sources(lab)["rms_level"], seed=2) is None


def test_children_end_however_they_end():
    def act(task, say):
        say(task)
        {"sleeps": lambda: time.sleep(600), "exits": lambda: os._exit(3), "raises": lambda: 1 / 0}.get(task, str)()

    ended = {child.task: child for child in run_each(act, ["sleeps", "exits", "raises", "returns"], jobs=2, seconds=3)}
    assert {task: child.ended for task, child in ended.items()} == {
        "sleeps": "timeout",
        "exits": "crash",
        "raises": "error",
        "returns": "done",
    }
    assert all(child.said == [task] for task, child in ended.items())
    assert not any(child.process.is_alive() for child in ended.values())
    assert "ZeroDivisionError" in ended["raises"].error
