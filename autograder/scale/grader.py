"""Grading jobs by a Beam pipeline: as the class's grader sees it, jobs go in and results come out.

The pipeline runs in a process of its own and its workers leave results in the store; here they are picked up as they
come. So one process alone, the grader's, writes gradebook, ledger and pages, on any engine.
"""

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from autograder.grading import Assignment, failure
from autograder.result import Result
from autograder.sandbox import Trusted
from autograder.scale.plan import Element, Plan
from autograder.scale.store import Store, open_store
from autograder.workers import Job
from course.errors import CourseError

LOOK_SECONDS = 0.2
END_SECONDS = 20.0
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}


@dataclass(frozen=True)
class PipelineGrader:
    """Grades jobs on a runner; made for one class, called like :func:`autograder.workers.grade_all`.

    Attributes:
        runner: an engine of :data:`autograder.scale.engines.ENGINES`, or the class of a Beam runner.
        workers: how many submissions to grade at once.
        store: where workers find submissions and leave results; the class folder, if all workers see it.
        log: the file that gets what the engine says.
        options: options of the engine, as Beam takes them.
    """

    runner: str
    workers: int
    store: str
    log: Path
    options: Sequence[str] = ()

    def __call__(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Result]]:
        """Grade the jobs; yield each with its result as soon as it is there.

        What the pipeline leaves without a result when it ends gets one that says why, and that the next run makes anew.

        Raises:
            CourseError: the pipeline ended before anything was graded; the sentence says why.
        """
        store = open_store(self.store)
        waiting = _offered(store, jobs)
        if not waiting:
            return
        _clear(store, waiting)
        count = len(waiting)
        with self._running(waiting) as process:
            for element, result in _results(store, waiting, process):
                yield _job(store, element, waiting.pop(element)), result
            _let_end(process)
            reason = _reason(process)
        if len(waiting) == count:
            raise CourseError(f"The runner {self.runner} graded nothing. {reason} What it said is in {self.log}.")
        for element, assignment in waiting.items():
            job = _job(store, element, assignment)
            yield job, failure(assignment, job.student, job.content, f"{reason} What the runner said is in {self.log}.")

    @contextlib.contextmanager
    def _running(self, waiting: dict[Element, Assignment]) -> Iterator[subprocess.Popen]:
        """The process of the pipeline; at the end nothing that it has started on this machine is left."""
        run = {
            "plan": _plan(waiting.values(), self.store).model_dump(mode="json"),
            "elements": [asdict(element) for element in waiting],
            "runner": self.runner,
            "workers": self.workers,
            "options": list(self.options),
        }
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "autograder.scale.process"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=_environment(),
                start_new_session=True,
            )
        try:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(json.dumps(run).encode() + b"\n")
                process.stdin.flush()
            yield process
        finally:
            _end(process)


def _plan(assignments: Collection[Assignment], store: str) -> Plan:
    """The plan to grade assignments, which have a runner in common."""
    first = next(iter(assignments))
    return Plan(
        labs={one.lab.id: one.lab.folder.resolve() for one in assignments},
        store=store,
        policies={one.lab.id: one.policy for one in assignments},
        trusted=isinstance(first.runner, Trusted),
        environment=first.environment,
    )


def _offered(store: Store, jobs: Iterable[Job]) -> dict[Element, Assignment]:
    """The elements of the jobs, whose bytes are in the store; the bytes themselves are let go."""
    waiting = {}
    for job in jobs:
        store.offer(job.content)
        submission = hashlib.sha256(job.content).hexdigest()
        key = job.assignment.key(job.student, submission)
        waiting[Element(job.assignment.lab.id, job.student, submission, key, tuple(job.notes))] = job.assignment
    return waiting


def _clear(store: Store, waiting: Collection[Element]) -> None:
    """Remove earlier failures, which would be taken for new ones."""
    for element in store.present(waiting):
        if store.verdict(element) is None:
            store.forget(element)


def _job(store: Store, element: Element, assignment: Assignment) -> Job:
    return Job(assignment, element.student, store.submission(element), element.notes)


def _results(store: Store, waiting: Collection[Element], process: subprocess.Popen) -> Iterator[tuple[Element, Result]]:
    """Results as they come into the store, until all are there or the pipeline has ended.

    Args:
        waiting: the elements that have no result yet; who takes a result from here removes its element.
    """
    while waiting:
        # Whether it has ended is asked first, so that what it leaves in its last moment is seen.
        ended = process.poll() is not None
        for element in store.present(waiting):
            result = store.result(element)
            if result is not None:
                yield element, result
        if ended:
            return
        time.sleep(LOOK_SECONDS)


def _reason(process: subprocess.Popen) -> str:
    """Why a pipeline left submissions without a result, if it did."""
    if process.returncode is None or process.returncode == 0:
        return "It came to its end and left no result for some submissions."
    sentence = process.stdout.read().decode(errors="replace").strip()
    return sentence or f"Its process ended with exit code {process.returncode}."


def _let_end(process: subprocess.Popen) -> None:
    """Give a pipeline whose results are all there time to close what it has opened; one that has ended takes none."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(END_SECONDS)


def _environment() -> dict[str, str]:
    """One thread for each worker's arithmetic, and this interpreter's programs before all others."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    return os.environ | ONE_THREAD | {"PATH": path}


def _end(process: subprocess.Popen) -> None:
    """Have the pipeline end, if it still runs; then kill what is left of its process group."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(END_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stdin.close()
    process.stdout.close()
