"""Known solutions through the grader itself: what each earns, and whether that is what it should earn."""

from collections.abc import Iterator

import nbformat
from pydantic import BaseModel

from autograder.grading import Assignment
from autograder.policy import Policy
from autograder.result import Result
from autograder.sandbox import Bubblewrap, Trusted
from autograder.workers import Job, grade_all
from course.lab.build import release_notebook, solution_notebook
from course.lab.source import Lab
from course.lab.wrong import WrongSolution

REFERENCE, UNTOUCHED = "reference", "untouched release"


class Row(BaseModel):
    """A solution's line in the matrix: its points and its failed checks by task, and what is not as it should be.

    ``task`` and ``fails`` are the task and the check that a wrong solution says it loses.
    """

    solution: str
    task: str | None = None
    mistake: str | None = None
    fails: str | None = None
    status: str
    points: dict[str, int]
    failed: dict[str, list[str]]
    problems: list[str]


def graded_solutions(
    lab: Lab, task_ids: list[str], seed: int, jobs: int, runner: Bubblewrap | Trusted | None = None
) -> Iterator[Row]:
    """Grade the reference, the untouched release and the wrong solutions of these tasks, as submissions are graded.

    Args:
        lab: a valid lab.
        task_ids: whose wrong solutions.
        seed: hidden inputs depend on it, as on a student's name.
        jobs: submissions at a time.
        runner: where submissions run; a sandbox if not given.
    """
    assignment = Assignment.of(lab, Policy.of(lab), runner or Bubblewrap())
    wrong = {f"{one.path.stem}": one for one in lab.wrong if one.task in task_ids}
    notebooks = {REFERENCE: solution_notebook(lab), UNTOUCHED: release_notebook(lab)}
    notebooks |= {name: _with_source(solution_notebook(lab), one) for name, one in wrong.items()}
    names, submissions = {}, []
    for name, notebook in notebooks.items():
        student = f"check-grading {seed} {name}"
        names[student] = name
        submissions.append(Job(assignment, student, nbformat.writes(notebook).encode()))
    for job, result in grade_all(submissions, jobs):
        name = names[job.student]
        yield _row(lab, name, wrong.get(name), result)


def _with_source(notebook: nbformat.NotebookNode, wrong: WrongSolution) -> nbformat.NotebookNode:
    """The notebook with a wrong solution in its task's cell."""
    (cell,) = (cell for cell in notebook.cells if cell.id == wrong.task)
    cell.source = wrong.source
    return notebook


def _row(lab: Lab, name: str, wrong: WrongSolution | None, result: Result) -> Row:
    return Row(
        solution=name,
        task=wrong and wrong.task,
        mistake=wrong and wrong.mistake,
        fails=wrong and wrong.fails,
        status=result.status,
        points={task.id: task.score for task in result.tasks},
        failed={task.id: list(task.failed) for task in result.tasks if task.failed},
        problems=list(_problems(lab, name, wrong, result)),
    )


def _problems(lab: Lab, name: str, wrong: WrongSolution | None, result: Result) -> Iterator[str]:
    """What is not as it should be, a sentence each."""
    if result.fault:
        yield f"{name}: the grading failed: {result.fault}"
        return
    lost = {task.id for task in result.tasks if task.score < task.max_score}
    expected = {wrong.task} if wrong else set() if name == REFERENCE else set(lab.task_ids)
    for task_id in sorted(lost - expected):
        yield f"{name} loses {task_id}, which it should earn."
    for task_id in sorted(expected - lost):
        yield f"{name} earns {task_id}, which it should lose."
    failed = {one for task in result.tasks if wrong and task.id == wrong.task for one in task.failed}
    if wrong and wrong.task in lost and wrong.fails not in failed:
        listed = ", ".join(sorted(failed)) or "none"
        yield f"{name} says that it fails {wrong.fails}, but what fails is: {listed}."
