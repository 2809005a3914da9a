"""Grading many submissions side by side: each in a process of its own, which the next ones do not notice.

A worker is forked from this process, which has read the labs already, and grades one submission. Whatever becomes of
it (killed, out of memory, stuck), its submission ends with a result, and all others are graded all the same.
"""

import multiprocessing
import os
import resource
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from autograder.grading import Assignment, failure, grade
from autograder.namespaces import end_with_parent
from autograder.result import Result
from autograder.sandbox import START_SECONDS, SandboxBroken

FORKING = multiprocessing.get_context("fork")
SPARE_SECONDS = 60.0


@dataclass(frozen=True)
class Job:
    """A submission to grade: its assignment, whose it is, its bytes, and sentences of the intake about it."""

    assignment: Assignment
    student: str
    content: bytes
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Worker:
    job: Job
    process: BaseProcess
    answer: Connection
    deadline: float


def grade_all(jobs: Iterable[Job], workers: int) -> Iterator[tuple[Job, Result]]:
    """Grade jobs with so many processes at once; yield each job with its result as soon as it is there."""
    waiting = iter(jobs)
    with _ended_afterwards() as running:
        while True:
            while len(running) < workers and (job := next(waiting, None)) is not None:
                running.append(_start(job))
            if not running:
                return
            for worker in _finished(running):
                running.remove(worker)
                yield worker.job, _collect(worker)


@contextmanager
def _ended_afterwards() -> Iterator[list[_Worker]]:
    running: list[_Worker] = []
    try:
        yield running
    finally:
        for worker in running:
            _end(worker)


def _start(job: Job) -> _Worker:
    # Before the fork, so that all workers share one warm process; where it does not start, the worker will say why.
    with suppress(SandboxBroken):
        job.assignment.runner.prepare(job.assignment.supplies)
    ours, theirs = FORKING.Pipe(duplex=False)
    process = FORKING.Process(target=_work, args=(job, theirs, os.getpid()), daemon=True)
    process.start()
    theirs.close()
    limit = job.assignment.policy.total_seconds + START_SECONDS + SPARE_SECONDS
    return _Worker(job, process, ours, time.monotonic() + limit)


def _work(job: Job, answer: Connection, parent: int) -> None:
    """In the worker: grade, and send the result as JSON. What a student makes the checker hold is bounded, too."""
    end_with_parent(parent)
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (job.assignment.policy.checker_bytes, hard))
    try:
        result = grade(job.assignment, job.student, job.content, job.notes)
    except Exception as error:
        result = failure(job.assignment, job.student, job.content, f"{type(error).__name__}: {error}")
    answer.send_bytes(result.model_dump_json().encode())


def _finished(running: list[_Worker]) -> list[_Worker]:
    """Wait for answers, for ends without one, and for time to be up."""
    patience = min(worker.deadline for worker in running) - time.monotonic()
    ready = wait([worker.answer for worker in running], timeout=max(patience, 0))
    return [worker for worker in running if worker.answer in ready or worker.deadline <= time.monotonic()]


def _collect(worker: _Worker) -> Result:
    fault = "the grading did not come to an end in its time"
    try:
        if worker.answer.poll():
            return Result.model_validate_json(worker.answer.recv_bytes())
    except EOFError:
        worker.process.join()
        fault = f"the grading process ended with exit code {worker.process.exitcode}"
    finally:
        _end(worker)
    return failure(worker.job.assignment, worker.job.student, worker.job.content, fault)


def _end(worker: _Worker) -> None:
    """End the worker; its sandbox ends with it."""
    worker.process.kill()
    worker.process.join()
    worker.answer.close()
