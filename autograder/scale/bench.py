"""How grading scales out: the same submissions on several runners with several numbers of workers, in one run.

The order is shuffled, because a machine gets slower and faster while one measures; what is compared are ratios.
"""

import os
import random
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

import nbformat

from autograder.grading import Assignment
from autograder.policy import Policy
from autograder.result import Result, Status
from autograder.sandbox import Bubblewrap
from autograder.scale.grader import PipelineGrader
from autograder.workers import Job, grade_all
from course.errors import CourseError
from course.lab.build import solution_notebook
from course.lab.source import Lab

LOCAL = "local"


def scale_out(
    lab: Lab, submissions: int, runners: Sequence[str], workers: Sequence[int], seed: int = 0
) -> dict[str, object]:
    """Grade a lab's reference solution for so many students on each runner with each number of workers.

    Args:
        lab: the lab.
        submissions: how many students there are.
        runners: names as ``course grade --runner`` takes them; ``local`` with one worker is always measured too,
            because it is what all others are compared with.
        workers: numbers of workers.
        seed: of the order of measuring.

    Returns:
        ``cores``, ``submissions`` and ``runs``: for each run its runner and workers; ``first_seconds`` until the first
        result and ``seconds`` until the last; ``per_minute``; ``speedup`` over ``local`` with one worker; and
        ``overhead_seconds``, the time of a worker for each submission that was not spent on grading it.

    Raises:
        CourseError: something could not be graded, so that its time means nothing.
    """
    wanted = {(LOCAL, 1), *((runner, count) for runner in runners for count in workers)}
    order = sorted(wanted)
    random.Random(seed).shuffle(order)
    runs = [_measured(lab, submissions, runner, count) for runner, count in order]
    alone = next(run["seconds"] for run in runs if (run["runner"], run["workers"]) == (LOCAL, 1))
    for run in runs:
        run["speedup"] = alone / run["seconds"]
    runs.sort(key=lambda run: (run["runner"], run["workers"]))
    return {"cores": len(os.sched_getaffinity(0)), "submissions": submissions, "runs": runs}


def _measured(lab: Lab, submissions: int, runner: str, workers: int) -> dict[str, object]:
    """One run from nothing: no zygote is warm, no engine started."""
    with tempfile.TemporaryDirectory(prefix="course-scale-") as folder:
        sandbox = Bubblewrap()
        jobs = _jobs(Assignment.of(lab, Policy.of(lab), sandbox), submissions)
        grade = partial(grade_all, workers=workers)
        if runner != LOCAL:
            grade = PipelineGrader(runner, workers, folder, Path(folder, "pipeline.log"))
        start = time.monotonic()
        times, results = zip(*_timed(grade(jobs)), strict=True)
        sandbox.close()
    _require_graded(runner, results)
    seconds = times[-1] - start
    return {
        "runner": runner,
        "workers": workers,
        "first_seconds": times[0] - start,
        "seconds": seconds,
        "per_minute": 60 * submissions / seconds,
        "overhead_seconds": workers * seconds / submissions - statistics.fmean(result.seconds for result in results),
    }


def _jobs(assignment: Assignment, submissions: int) -> list[Job]:
    content = nbformat.writes(solution_notebook(assignment.lab)).encode()
    return [Job(assignment, f"student-{number}", content) for number in range(submissions)]


def _timed(graded: Iterable[tuple[Job, Result]]) -> Iterator[tuple[float, Result]]:
    for _, result in graded:
        yield time.monotonic(), result


def _require_graded(runner: str, results: Sequence[Result]) -> None:
    for result in results:
        if result.status is not Status.GRADED:
            raise CourseError(f"With {runner}, a reference solution ended as {result.status}: {result.fault or ''}")
