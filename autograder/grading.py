"""Grading one submission: from its bytes to a result.

A result is a function of the submission (whose, and its bytes), the release, the checks, the policy and the
environment, and of nothing else; :meth:`Assignment.key` is the SHA-256 of exactly these.
"""

import hashlib
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import nbformat
from nbformat import NotebookNode

from autograder.intake import Original, Rejected, Submission, canonical, originals, parse
from autograder.policy import Policy
from autograder.result import (
    SENTENCES,
    Hint,
    Question,
    Result,
    Status,
    TaskResult,
    digest,
    environment,
    result_key,
    worst,
)
from autograder.sandbox import Bubblewrap, SandboxBroken, Trusted
from autograder.session import Session, SessionOver, Stopped, TaskStudent
from autograder.supplies import Supplies, lab_supplies
from course.lab.build import release_notebook
from course.lab.checking import CheckError, CheckRecord, TaskRecord, run_task
from course.lab.source import Lab
from course.lab.tasks import Task

UNSOLVED = "The task is not solved yet: its function still raises NotImplementedError."
NO_ANSWER = "A call of the function was given up ({what}), and the checks after it were not run."
CUT_OFF = "The notebook's process ended while the task was checked, so that no answer of it counts."
NOT_REACHED = "The task was not checked, because the notebook's process had ended before its turn."


@dataclass(frozen=True)
class Assignment:
    """A lab made ready for grading: what all of its submissions share."""

    lab: Lab
    release: NotebookNode
    released: dict[str, Original]
    supplies: Supplies
    policy: Policy
    runner: Bubblewrap | Trusted

    @classmethod
    def of(cls, lab: Lab, policy: Policy, runner: Bubblewrap | Trusted) -> "Assignment":
        """The assignment of a lab."""
        release = release_notebook(lab)
        return cls(lab, release, originals(lab, release), lab_supplies(lab), policy, runner)

    @property
    def environment(self) -> dict[str, str]:
        """The versions and digests that results depend on."""
        return environment(self.runner.name)

    @cached_property
    def parts(self) -> dict[str, str]:
        """Digests, by name, of all that the results of this assignment's submissions have in common."""
        return {
            "release": digest(nbformat.writes(self.release)),
            "checks": digest(self.lab.checks.path.read_bytes()),
            "policy": digest(self.policy.model_dump_json()),
            "environment": digest(*(f"{name}={value}" for name, value in self.environment.items())),
            "supplies": self.supplies.digest,
        }

    def key(self, student: str, submission: str) -> str:
        """The key of a result; ``submission`` is the SHA-256 of its bytes, or what intake said where there are none."""
        return result_key(student=student, submission=submission, **self.parts)


def grade(assignment: Assignment, student: str, content: bytes, notes: Iterable[str] = ()) -> Result:
    """Grade the bytes of a student's notebook.

    Args:
        assignment: from :meth:`Assignment.of`.
        student: whose submission it is; hidden inputs depend on it.
        content: the bytes that were handed in.
        notes: sentences of the intake for the result.
    """
    start = time.monotonic()
    try:
        submission = canonical(parse(content), assignment.lab.id, assignment.released)
    except Rejected as rejected:
        return rejection(assignment, student, rejected, content)
    try:
        found = _examine(assignment, student, content, submission)
    except (SandboxBroken, CheckError) as fault:
        return failure(assignment, student, content, str(fault))
    status = worst(found.statuses)
    return Result(
        key=assignment.key(student, hashlib.sha256(content).hexdigest()),
        parts=assignment.parts,
        lab=assignment.lab.id,
        lab_title=assignment.lab.title,
        student=student,
        submission=hashlib.sha256(content).hexdigest(),
        status=status,
        sentence=SENTENCES[status],
        notes=(*notes, *submission.notes),
        score=sum(task.score for task in found.tasks),
        max_score=sum(task.points for task in assignment.lab.tasks),
        tasks=tuple(found.tasks),
        manual=tuple(_questions(assignment, submission)),
        cells=tuple(found.cells),
        seconds=round(time.monotonic() - start, 3),
        environment=assignment.environment,
    )


def rejection(assignment: Assignment, student: str, rejected: Rejected, content: bytes | None) -> Result:
    """The result of a submission that intake did not accept."""
    return _without_grading(assignment, student, content, rejected.status, rejected.sentence, None)


def failure(assignment: Assignment, student: str, content: bytes, fault: str) -> Result:
    """The result when the grading itself failed: nobody's loss, and to be run again."""
    sentence = SENTENCES[Status.INFRASTRUCTURE]
    return _without_grading(assignment, student, content, Status.INFRASTRUCTURE, sentence, fault)


@dataclass
class Findings:
    """What running a submission brought up."""

    tasks: list[TaskResult]
    cells: list[Hint]
    statuses: list[Status]


def _examine(assignment: Assignment, student: str, content: bytes, submission: Submission) -> Findings:
    """Run the notebook in a sandbox, then check task after task, in the lab's order."""
    seed = digest("hidden inputs", assignment.lab.id, student, content)
    with assignment.runner.start(assignment.supplies, assignment.policy) as sandbox:
        session = Session(sandbox, assignment.policy, {cell.id: cell for cell in submission.code})
        cells = _run_cells(session, submission)
        tasks = [_check_task(assignment, session, task, seed) for task in assignment.lab.tasks]
    return Findings(tasks, cells, session.incidents)


def _run_cells(session: Session, submission: Submission) -> list[Hint]:
    """Execute all cells, until the process ends; return what stopped some of them."""
    stopped = []
    for cell in submission.code:
        try:
            error = session.execute(cell)
        except SessionOver:
            text = f"The notebook's process ended, or had to be ended, while the {cell.label} ran."
            return [*stopped, Hint(text=text)]
        if error:
            stopped.append(_cell_hint(cell.label, error))
    return stopped


def _cell_hint(label: str, error: Stopped) -> Hint:
    return Hint(text=f"The {label} stopped with an error.", error=_named(error), lines=error.lines)


def _check_task(assignment: Assignment, session: Session, task: Task, seed: str) -> TaskResult:
    """Judge one task. Only earlier tasks have stand-ins: a later task's oracle could give this one's answer away."""
    if session.over:
        return _lost(task, NOT_REACHED)
    checks = assignment.lab.checks
    order = [one.id for one in assignment.lab.tasks]
    earlier = {name: checks.oracles[name] for name in order[: order.index(task.id)]}
    start = time.monotonic()
    with session.task(task.function, earlier) as student:
        record = run_task(checks, task.id, student, seed)
    if session.over:
        # How much was answered before the end is a matter of luck, and a result is not.
        return _lost(task, CUT_OFF)
    return _task_result(task, record, student, time.monotonic() - start)


def _task_result(task: Task, record: TaskRecord, student: TaskStudent, seconds: float) -> TaskResult:
    failed = [one for one in record.records if not one.passed]
    unsolved = any(stopped.type_name == "NotImplementedError" for stopped in student.raised.values())
    details = _details(failed, student)
    if failed and unsolved:
        details = [Hint(text=UNSOLVED)]
    return TaskResult(
        id=task.id,
        title=task.title,
        score=task.points if record.passed else 0,
        max_score=task.points,
        checks_passed=len(record.records) - len(failed),
        checks=len(record.records),
        unsolved=bool(failed) and unsolved,
        hints=tuple(dict.fromkeys(detail.text for detail in details)),
        details=tuple(dict.fromkeys(details)),
        failed=tuple(one.name for one in failed),
        seconds=round(seconds, 3),
    )


def _details(failed: list[CheckRecord], student: TaskStudent) -> list[Hint]:
    """A hint for each failed check; where the function never came back, that is the hint."""
    if student.fault is None:
        return [_hint(one, student) for one in failed]
    before = [_hint(one, student) for one in failed if one.student_error != str(student.fault)]
    return [*before, Hint(text=NO_ANSWER.format(what=student.fault))]


def _hint(record: CheckRecord, student: TaskStudent) -> Hint:
    stopped = student.raised.get(record.student_error or "")
    return Hint(text=record.hint, error=record.student_error, lines=stopped.lines if stopped else ())


def _lost(task: Task, reason: str) -> TaskResult:
    return TaskResult(
        id=task.id, title=task.title, score=0, max_score=task.points, hints=(reason,), details=(Hint(text=reason),)
    )


def _named(error: Stopped) -> str:
    return f"{error.type_name}: {error.message}" if error.message else error.type_name


def _questions(assignment: Assignment, submission: Submission) -> Iterable[Question]:
    for question in assignment.lab.manual:
        given = submission.source(question.id)
        stub = assignment.released[question.id].source
        answered = given is not None and given.strip() != stub.strip()
        yield Question(id=question.id, title=question.title, max_score=question.points, answered=answered)


def _without_grading(
    assignment: Assignment, student: str, content: bytes | None, status: Status, sentence: str, fault: str | None
) -> Result:
    submission = hashlib.sha256(content).hexdigest() if content is not None else None
    tasks = tuple(
        TaskResult(id=task.id, title=task.title, score=0, max_score=task.points) for task in assignment.lab.tasks
    )
    return Result(
        key=assignment.key(student, submission or sentence),
        parts=assignment.parts,
        lab=assignment.lab.id,
        lab_title=assignment.lab.title,
        student=student,
        submission=submission,
        status=status,
        sentence=sentence,
        score=0,
        max_score=sum(task.max_score for task in tasks),
        tasks=tasks,
        manual=tuple(
            Question(id=one.id, title=one.title, max_score=one.points, answered=False) for one in assignment.lab.manual
        ),
        fault=fault,
        seconds=0.0,
        environment=assignment.environment,
    )
