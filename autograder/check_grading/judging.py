"""What becomes of mutants: caught by a hidden check, or, if not, how they differ from the reference."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from autograder.check_grading.behaviour import Comparison, Difference, asking, difference, latitude_of
from autograder.check_grading.children import Child, run_each
from autograder.check_grading.inputs import with_one_check
from autograder.check_grading.mutation import Mutant
from course.errors import CourseError
from course.lab.checking import check_rng
from course.lab.rehearsal import reference_sources, rehearse_task
from course.lab.source import Lab

SPARE_SECONDS, SLOWER = 30.0, 10.0  # a mutant may take so much longer than the reference, and so many times as long


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant.

    ``caught_by`` is the first check that fails, or ``timeout`` or ``crash``; ``fault`` is what a check stumbled over,
    which is a mistake of the check. ``difference``, the number of documented inputs that it ``differs_on`` and an
    ``example`` are for mutants that no check fails.
    """

    mutant: Mutant
    caught_by: str | None = None
    fault: str | None = None
    difference: Difference | None = None
    differs_on: int = 0
    example: str = ""


def judged_by_checks(lab: Lab, mutants: list[Mutant], seed: int, jobs: int) -> Iterator[Verdict]:
    """Judge each mutant by the hidden checks of its own task, up to the first that fails, in any order.

    Raises:
        CourseError: a reference fails a check of its own.
    """
    start = time.perf_counter()
    for task_id in {mutant.task for mutant in mutants}:
        if (failed := first_failure(lab, task_id, reference_sources(lab)[task_id], seed)) is not None:
            raise CourseError(f"The reference of {task_id} fails its own check {failed}; mend that first.")
    seconds = SPARE_SECONDS + SLOWER * (time.perf_counter() - start)

    def judge(mutant: Mutant, say: Callable) -> None:
        say(first_failure(lab, mutant.task, mutant.source, seed))

    for child in run_each(judge, mutants, jobs, seconds):
        yield _verdict_of_checks(child)


def compared(lab: Lab, mutants: list[Mutant], compare: Mapping[str, Comparison], jobs: int) -> Iterator[Verdict]:
    """Compare mutants that no check fails with the reference, in any order."""

    def judge(mutant: Mutant, say: Callable) -> None:
        task = compare[mutant.task]
        answers = asking(lab, mutant.task, mutant.source, task.inputs)
        say(difference(task, answers, latitude_of(lab, mutant.task), say))

    seconds = SPARE_SECONDS + SLOWER * max((task.seconds for task in compare.values()), default=0.0)
    for child in run_each(judge, mutants, jobs, seconds):
        yield _verdict_of_comparison(child)


def first_failure(lab: Lab, task_id: str, source: str, seed: int | str) -> str | None:
    """The name of the first hidden check that a solution fails; None if it passes them all.

    Raises:
        CheckError: a check is itself at fault.
    """

    failed: list[str] = []

    def until_one_fails(student, _rng):
        for one in lab.checks.of(task_id):
            failed.append(one.name)
            one.function(student, check_rng(seed, task_id, one.name))
            failed.pop()

    sources = reference_sources(lab) | {task_id: source}
    rehearse_task(with_one_check(lab, task_id, until_one_fails), task_id, sources)
    return failed[0] if failed else None


def _verdict_of_checks(child: Child) -> Verdict:
    if child.ended == "error":
        return Verdict(child.task, fault=child.error.strip().splitlines()[-1])
    return Verdict(child.task, caught_by=child.said[0] if child.ended == "done" else child.ended)


def _verdict_of_comparison(child: Child) -> Verdict:
    """A child that was ended had been asked for a documented input, unless it had said that it was through them."""
    if child.ended == "error":
        return Verdict(child.task, fault=child.error.strip().splitlines()[-1])
    if child.ended == "done":
        found, differs_on, example = child.said[-1]
        return Verdict(child.task, difference=found, differs_on=differs_on, example=example)
    found = Difference.UNDOCUMENTED if child.said else Difference.WRONG
    return Verdict(child.task, difference=found, differs_on=int(not child.said), example=f"ended by {child.ended}")
