"""One submission after another through a warm grader: ``python -m autograder.bench.warm OUT FILE…``.

OUT becomes a JSON list of seconds.

In a process of its own, so that each trial of the benchmark starts from nothing, and forking costs what it costs a
grader.
"""

import json
import sys
import time
from pathlib import Path

from autograder.bench.classes import bench_lab
from autograder.grading import Assignment
from autograder.intake import read_bytes
from autograder.policy import Policy
from autograder.sandbox import Bubblewrap
from autograder.workers import Job, grade_all


def seconds_to_verdicts(paths: list[Path]) -> list[float]:
    """Seconds from a submission's file to its result, one at a time; the first one also warms the grader up.

    Args:
        paths: notebooks of the bench lab.
    """
    lab, runner = bench_lab(), Bubblewrap()
    try:
        assignment = Assignment.of(lab, Policy.of(lab), runner)
        return [_seconds(assignment, path) for path in paths]
    finally:
        runner.close()


def _seconds(assignment: Assignment, path: Path) -> float:
    start = time.perf_counter()
    job = Job(assignment, path.stem, read_bytes(path, assignment.policy.submission_bytes))
    ((_, result),) = grade_all([job], workers=1)
    seconds = time.perf_counter() - start
    if (result.status, result.score) != ("graded", result.max_score):
        raise SystemExit(f"{path}: expected full marks, came {result.status} with {result.score}: {result.fault}")
    return seconds


if __name__ == "__main__":
    out, *files = map(Path, sys.argv[1:])
    out.write_text(json.dumps(seconds_to_verdicts(files)))
