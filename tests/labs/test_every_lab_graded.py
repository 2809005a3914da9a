"""Every lab through the grader itself: a sandbox without what it withholds, stand-ins over a protocol, hints."""

from pathlib import Path

import nbformat
import pytest

from autograder.grading import Assignment
from autograder.policy import Policy
from autograder.sandbox import Bubblewrap
from autograder.workers import Job, grade_all
from course.lab.build import release_notebook, solution_notebook
from course.lab.source import lab_folders, read_lab

ALTERNATIVES = Path(__file__).parent / "alternatives"
MISTAKES = 3  # tasks of a lab that get a mistake each: the first, one in the middle, the last
# The mistakes of Lab 1 that are hardest to tell from right solutions, or that run for long.
CHOSEN = {
    "lab01-sound-as-numbers": {
        "quantise": "wraps-round",
        "filter_block": "loop-over-samples-and-taps",
        "find_event": "always-reports",
    }
}


@pytest.fixture(scope="module", params=[folder.name for folder in lab_folders()])
def lab(request):
    return read_lab(next(folder for folder in lab_folders() if folder.name == request.param))


@pytest.fixture(scope="module")
def mistakes(lab):
    """Task to the source of a wrong solution of it."""
    first = {}
    for wrong in lab.wrong:
        first.setdefault(wrong.task, wrong.source)
    if lab.id in CHOSEN:
        named = {f"{task}--{mistake}" for task, mistake in CHOSEN[lab.id].items()}
        return {wrong.task: wrong.source for wrong in lab.wrong if wrong.path.stem in named}
    return {task: first[task] for task in (lab.task_ids[0], lab.task_ids[len(lab.task_ids) // 2], lab.task_ids[-1])}


@pytest.fixture(scope="module")
def results(lab, mistakes):
    """Results of the reference, the release, other right ways together, fallbacks copied, and a mistake in a task."""
    assignment = Assignment.of(lab, Policy.of(lab), Bubblewrap())
    solution, release = solution_notebook(lab), release_notebook(lab)
    right = {path.stem.partition("--")[0]: path.read_text() for path in other_ways(lab)}
    copied = {cell.id.removeprefix("fallback-"): as_own(cell) for cell in release.cells if "fallback" in cell.id}
    submissions = {
        "reference": nbformat.writes(solution),
        "untouched": nbformat.writes(release),
        "other-ways": nbformat.writes(replaced(solution, right)),
        "copier": nbformat.writes(replaced(release, copied)),
    }
    for task, source in mistakes.items():
        submissions[task] = nbformat.writes(replaced(solution, {task: source}))
    jobs = [Job(assignment, student, content.encode()) for student, content in submissions.items()]
    return {job.student: result for job, result in grade_all(jobs, workers=2)}


def other_ways(lab):
    """Files with another right way for each task; where there are several, the last one counts."""
    return sorted((ALTERNATIVES / lab.id.partition("-")[0]).glob("*.py"))


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


def test_a_mistake_costs_its_own_task_and_brings_a_hint(results, mistakes):
    assert len(mistakes) == MISTAKES
    for task in mistakes:
        lost = [one for one in results[task].tasks if one.score < one.max_score]
        assert [one.id for one in lost] == [task]
        assert lost[0].score == 0 and lost[0].hints
