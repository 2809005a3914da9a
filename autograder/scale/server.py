"""The process that grades one submission after the other for a worker: ``python -m autograder.scale.server FD``.

FD is its connection to the worker. It ends when the other end is closed, by whatever, and takes its sandboxes and
everything in them along.
"""

import contextlib
import json
import os
import select
import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from autograder.grading import Assignment, failure
from autograder.sandbox import Bubblewrap, Trusted
from autograder.scale.plan import Element, Plan, Unfit
from autograder.scale.store import Store, open_store
from autograder.scale.worker import Reply, here
from autograder.workers import Job, grade_all
from course.errors import CourseError
from course.lab.source import read_lab


def main() -> None:
    """Serve the connection whose file descriptor is the first argument, until its other end is closed."""
    connection = Connection(int(sys.argv[1]))
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(connection.fileno(),), daemon=True).start()
    with contextlib.suppress(EOFError, BrokenPipeError):
        _serve(connection)


def _end_with(descriptor: int) -> None:
    """Wait until the other end of the connection is closed, by whatever; then stop what is being graded."""
    hanging_up = select.poll()
    hanging_up.register(descriptor, 0)
    hanging_up.poll()
    os.kill(os.getpid(), signal.SIGTERM)


def _serve(connection: Connection) -> None:
    try:
        plan = Plan.model_validate_json(connection.recv_bytes())
        desk = _Desk.of(plan)
        _tell(connection, Reply(kind="done"))
        while True:
            request = json.loads(connection.recv_bytes())
            with _stoppable():
                desk.serve(request)
            _tell(connection, Reply(kind="done"))
    except CourseError as error:
        _tell(connection, Reply(kind="unfit", sentence=str(error)))


@contextlib.contextmanager
def _stoppable() -> Iterator[None]:
    """Meanwhile SIGTERM ends the process in an orderly way; at other times the closed connection does."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _tell(connection: Connection, reply: Reply) -> None:
    connection.send_bytes(reply.model_dump_json().encode())


@dataclass
class _Desk:
    """The plan made ready on this machine: labs are read when the first submission of each comes."""

    plan: Plan
    runner: Bubblewrap | Trusted
    store: Store
    assignments: dict[str, Assignment] = field(default_factory=dict)

    @classmethod
    def of(cls, plan: Plan) -> "_Desk":
        """The desk for a plan.

        Raises:
            Unfit: there is no sandbox on this machine.
        """
        try:
            runner = Trusted() if plan.trusted else Bubblewrap()
        except CourseError as error:
            raise Unfit(f"The worker {here()} cannot grade. {error}") from error
        return cls(plan, runner, open_store(plan.store))

    def serve(self, request: dict) -> None:
        """Grade an element that has no verdict yet, or note the fault that kept it from being graded.

        Raises:
            CourseError: this machine cannot grade it as the plan wants it.
        """
        element = Element(**request["element"])
        if self.store.verdict(element):
            return
        job = Job(self._assignment(element), element.student, self.store.submission(element), tuple(element.notes))
        if "fault" in request:
            result = failure(job.assignment, job.student, job.content, request["fault"])
        else:
            ((_, result),) = grade_all([job], workers=1)
        self.store.put(element, result)

    def _assignment(self, element: Element) -> Assignment:
        if element.lab not in self.assignments:
            self.assignments[element.lab] = self._read(element.lab)
        assignment = self.assignments[element.lab]
        if assignment.key(element.student, element.submission) != element.key:
            raise Unfit(
                f"The worker {here()} has another version of the lab {element.lab} than the one expected; "
                "install the kit from the same commit there."
            )
        return assignment

    def _read(self, lab: str) -> Assignment:
        try:
            assignment = Assignment.of(read_lab(self.plan.labs[lab]), self.plan.policies[lab], self.runner)
        except (CourseError, OSError) as error:
            raise Unfit(f"The worker {here()} cannot read the lab {lab}: {error}") from error
        _require_same(self.plan.environment, assignment.environment)
        return assignment


def _require_same(expected: dict[str, str], found: dict[str, str]) -> None:
    names = sorted(name for name in expected | found if expected.get(name) != found.get(name))
    if names:
        differences = ", ".join(f"{name} {found.get(name)} for {expected.get(name)}" for name in names)
        raise Unfit(
            f"The worker {here()} would grade in another environment than the one expected ({differences}). "
            "Install the kit from the same commit and the same requirements.lock there."
        )


if __name__ == "__main__":
    main()
