"""Hidden checks: how a lab's ``checks.py`` declares them, and how a task is judged by them.

A lab writes::

    from course.lab.checking import check, expect, oracle

    @oracle("synthesise")
    def synthesise(frequency, amplitude, duration, sample_rate): ...

    @check("synthesise", hint="Sample n is taken at time n / sample_rate.")
    def follows_closed_form(student, rng):
        expect.close(student(440.0, 0.5, 1.0, 8000), synthesise(440.0, 0.5, 1.0, 8000), atol=1e-6)

``student`` runs the student's function somewhere else and answers with plain data or raises a
:class:`~course.lab.student.StudentFault`; ``rng`` is a NumPy generator of the check's own. A check passes by
returning. It fails by :class:`~course.lab.expect.CheckFailed` or by the student's fault; any other exception is a
fault of the check, :class:`CheckError`, which costs the student nothing.
"""

import hashlib
import json
import time
import traceback
import types
import warnings
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

from course.errors import CourseError, SourceError
from course.lab import expect
from course.lab.expect import CheckFailed
from course.lab.student import LocalStudent, StudentCrash, StudentError, StudentFault, StudentTimeout

__all__ = [
    "Check",
    "CheckError",
    "CheckFailed",
    "CheckRecord",
    "Checks",
    "LocalStudent",
    "StudentCrash",
    "StudentError",
    "StudentFault",
    "StudentTimeout",
    "TaskRecord",
    "check",
    "check_rng",
    "covers",
    "expect",
    "latitude",
    "load_checks",
    "oracle",
    "run_task",
    "submission_seed",
]


class CheckError(CourseError):
    """A hidden check is itself at fault: an infrastructure error that names the check, never the student's loss."""


@dataclass(frozen=True)
class Check:
    """One hidden check of a task: its name, its hint, its function ``(student, rng) -> None`` and where it stands."""

    task: str
    name: str
    hint: str
    function: Callable[[Any, np.random.Generator], None]
    line: int


@dataclass
class Checks:
    """All that a lab's ``checks.py`` declares: checks by task in the file's order, and oracles by task."""

    path: Path
    by_task: dict[str, list[Check]] = field(default_factory=dict)
    oracles: dict[str, Callable] = field(default_factory=dict)
    oracle_lines: dict[str, int] = field(default_factory=dict)
    latitudes: dict[str, Callable] = field(default_factory=dict)
    covers: dict[str, Callable] = field(default_factory=dict)

    def of(self, task_id: str) -> list[Check]:
        """The checks of a task, in the file's order; none for a task that has none."""
        return self.by_task.get(task_id, [])

    def stand_ins(self, task_id: str) -> dict[str, Callable]:
        """The oracles that stand in for every *other* task's function while ``task_id`` is judged."""
        return {name: function for name, function in self.oracles.items() if name != task_id}


class CheckRecord(BaseModel):
    """What one check found. ``hint`` is for the student; ``student_error`` is what the student's own function raised;
    ``detail`` is for the instructor and may tell what the check compares."""

    name: str
    passed: bool
    hint: str | None = None
    student_error: str | None = None
    detail: str | None = None
    seconds: float


class TaskRecord(BaseModel):
    """What a task's checks found; it is passed when there are checks and all of them passed."""

    id: str
    passed: bool
    records: list[CheckRecord]


_loading: ContextVar[Checks | None] = ContextVar("checks being loaded", default=None)


def check(task_id: str, *, hint: str) -> Callable:
    """Declare a function ``(student, rng)`` as a hidden check of a task.

    Args:
        task_id: the task, which is also the name of the student's function.
        hint: shown to the student in place of the check when it fails.

    Raises:
        SourceError: the hint is empty, or a check of that name exists.
    """

    def declare(function: Callable) -> Callable:
        checks = _loading.get()
        if checks is not None:
            _declare_check(checks, task_id, hint, function)
        return function

    return declare


def oracle(task_id: str) -> Callable:
    """Declare a function as the independent reference of a task, which also stands in for it in other tasks.

    Raises:
        SourceError: the task already has an oracle.
    """

    def declare(function: Callable) -> Callable:
        checks = _loading.get()
        if checks is not None:
            line = function.__code__.co_firstlineno
            if task_id in checks.oracles:
                raise SourceError(checks.path, line, f"The task {task_id} has two oracles; keep one of them.")
            checks.oracles[task_id], checks.oracle_lines[task_id] = function, line
        return function

    return declare


def latitude(task_id: str) -> Callable:
    """Declare a function ``(arguments, reference, given) -> bool``: whether an answer is as right as the reference's.

    Where a task's text allows several answers, this says so to ``course lab check-grading``, which asks whether a
    changed solution is wrong or only another right one. Grading does not use it.

    Raises:
        SourceError: the task already has one.
    """

    return _declared_once("latitudes", task_id)


def covers(task_id: str) -> Callable:
    """Declare a function ``(*arguments) -> bool``: whether the task's text says what to answer to these arguments.

    It is for ``course lab check-grading`` as well, which asks no more of a solution than the text does. A task
    without one covers whatever its oracle and its reference answer alike.

    Raises:
        SourceError: the task already has one.
    """
    return _declared_once("covers", task_id)


def _declared_once(kind: str, task_id: str) -> Callable:
    def declare(function: Callable) -> Callable:
        checks = _loading.get()
        if checks is not None:
            declared = getattr(checks, kind)
            if task_id in declared:
                line = function.__code__.co_firstlineno
                raise SourceError(checks.path, line, f"The task {task_id} has two functions in {kind}; keep one.")
            declared[task_id] = function
        return function

    return declare


def load_checks(lab_folder: Path) -> Checks:
    """Execute ``checks.py`` of a lab and return what it declares.

    Raises:
        SourceError: the file is missing, does not run, or declares something twice or without a hint.
    """
    path = Path(lab_folder) / "checks.py"
    if not path.is_file():
        raise SourceError(path, None, "The lab has no checks.py; write its hidden checks there.")
    module = types.ModuleType(f"checks of {path.parent.name}")
    module.__file__ = str(path)
    checks = Checks(path)
    token = _loading.set(checks)
    try:
        # Compiled here and not imported: no byte code is left in the lab's folder, and an edited file is never stale.
        exec(compile(path.read_bytes(), str(path), "exec"), module.__dict__)
    except CourseError:
        raise
    except Exception as error:
        raise SourceError(path, _line_in(path, error), f"checks.py does not run: {_named(error)}.") from error
    finally:
        _loading.reset(token)
    return checks


def submission_seed(student: str, attempt: int) -> str:
    """The seed of a student's attempt: hexadecimal SHA-256 of both."""
    return _digest("submission", student, attempt).hex()


def check_rng(seed: str | int, task_id: str, check_name: str) -> np.random.Generator:
    """The generator of one check: SHA-256 of seed, task and check, so that no other check's draws change it."""
    return np.random.default_rng(int.from_bytes(_digest("check", seed, task_id, check_name)))


def run_task(checks: Checks, task_id: str, student: Any, seed: str | int) -> TaskRecord:
    """Judge a task by all of its checks, each with a generator of its own.

    Args:
        checks: from :func:`load_checks`.
        task_id: a task that has checks.
        student: called as ``student(*args, seconds=None, **kwargs)``; returns plain data or raises a StudentFault.
        seed: of the student and the attempt (:func:`submission_seed`).

    Raises:
        CheckError: a check raised anything but CheckFailed or a StudentFault, or the task has no checks.
    """
    if not checks.of(task_id):
        raise CheckError(f"{checks.path}: there is no check for the task {task_id}, so it cannot be judged.")
    records = [_run_check(checks.path, one, student, seed) for one in checks.of(task_id)]
    return TaskRecord(id=task_id, passed=all(record.passed for record in records), records=records)


def _run_check(path: Path, one: Check, student: Any, seed: str | int) -> CheckRecord:
    start = time.perf_counter()
    hint = student_error = detail = None
    try:
        with warnings.catch_warnings(action="ignore"):  # one would show lines of the check, or of its oracle
            one.function(student, check_rng(seed, one.task, one.name))
    except CheckFailed as failed:
        hint, detail = failed.hint or one.hint, failed.detail
    except StudentFault as fault:
        hint, student_error = one.hint, str(fault)
    except Exception as error:
        line = _line_in(path, error) or one.line
        raise CheckError(f"{path}:{line}: the hidden check {one.name} is at fault: {_named(error)}.") from error
    seconds = time.perf_counter() - start
    return CheckRecord(
        name=one.name, passed=hint is None, hint=hint, student_error=student_error, detail=detail, seconds=seconds
    )


def _declare_check(checks: Checks, task_id: str, hint: str, function: Callable) -> None:
    name, line = function.__name__, function.__code__.co_firstlineno
    if not isinstance(hint, str) or not hint.strip():
        raise SourceError(checks.path, line, f"The check {name} has no hint; say what a student should look at.")
    for other in (one for known in checks.by_task.values() for one in known):
        if other.name == name:
            raise SourceError(
                checks.path, line, f"The name {name} is taken by the check in line {other.line}; rename one."
            )
    checks.by_task.setdefault(task_id, []).append(Check(task_id, name, hint, function, line))


def _digest(*parts: str | int) -> bytes:
    return hashlib.sha256(json.dumps(parts).encode()).digest()


def _line_in(path: Path, error: Exception) -> int | None:
    """The last line of ``path`` that the error passed through."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return error.lineno
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return lines[-1] if lines else None


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".rstrip(".")
