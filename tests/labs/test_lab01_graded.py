"""Lab 1 through the grader itself: a sandbox without SciPy, stand-ins over a protocol, hints for the student."""

from pathlib import Path

import nbformat
import pytest

from autograder.grading import Assignment
from autograder.policy import Policy
from autograder.sandbox import Bubblewrap
from autograder.workers import Job, grade_all
from course.lab.build import release_notebook, solution_notebook
from course.lab.source import read_lab

FOLDER = Path(__file__).parents[2] / "labs" / "lab01-sound-as-numbers"
ALTERNATIVES = Path(__file__).parent / "alternatives" / "lab01"
MISTAKES = {
    "quantise": "wraps-round",
    "filter_block": "loop-over-samples-and-taps",
    "find_event": "always-reports",
}
OTHER_WAYS = ["tone_amplitude--goertzel-hamming", "filter_block--pending-outputs", "find_event--over-the-median"]


@pytest.fixture(scope="module")
def results():
    """Results of the reference, the release, other right ways together, fallbacks copied, and a mistake in a task."""
    lab = read_lab(FOLDER)
    assignment = Assignment.of(lab, Policy(), Bubblewrap())
    solution, release = solution_notebook(lab), release_notebook(lab)
    right = {name.partition("--")[0]: (ALTERNATIVES / f"{name}.py").read_text() for name in OTHER_WAYS}
    copied = {cell.id.removeprefix("fallback-"): as_own(cell) for cell in release.cells if "fallback" in cell.id}
    submissions = {
        "reference": nbformat.writes(solution),
        "untouched": nbformat.writes(release),
        "other-ways": nbformat.writes(replaced(solution, right)),
        "copier": nbformat.writes(replaced(release, copied)),
    }
    for task, mistake in MISTAKES.items():
        source = (FOLDER / "wrong" / f"{task}--{mistake}.py").read_text()
        submissions[task] = nbformat.writes(replaced(solution, {task: source}))
    jobs = [Job(assignment, student, content.encode()) for student, content in submissions.items()]
    return {job.student: result for job, result in grade_all(jobs, workers=2)}


def replaced(notebook, sources):
    """A copy of the notebook with other sources for some cells."""
    copy = nbformat.from_dict(notebook)
    for cell in copy.cells:
        cell.source = sources.get(cell.id, cell.source)
    return copy


def as_own(cell):
    """A fallback's function, copied into one's own solution."""
    return cell.source.replace(cell.source.splitlines()[0], "if True:", 1)


@pytest.mark.parametrize("student", ["reference", "other-ways"])
def test_right_solutions_earn_all_26_points(results, student):
    result = results[student]
    assert {task.id: task.failed for task in result.tasks if task.failed} == {}
    assert (result.status, result.score, result.max_score) == ("graded", 26, 26)


def test_the_untouched_release_earns_nothing_and_is_told_so(results):
    assert (results["untouched"].status, results["untouched"].score) == ("graded", 0)
    assert all(task.unsolved for task in results["untouched"].tasks)


def test_copied_fallbacks_earn_nothing(results):
    assert results["copier"].score == 0


@pytest.mark.parametrize("task", MISTAKES)
def test_a_mistake_costs_its_own_task_and_brings_a_hint(results, task):
    lost = [one for one in results[task].tasks if one.score < one.max_score]
    assert [one.id for one in lost] == [task]
    assert lost[0].score == 0 and lost[0].hints
