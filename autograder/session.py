"""Talking to one sandbox: execute a notebook's cells, then call its functions, each task in a child of its own.

Everything that comes back is the student's word: its form is checked here, its truth by the lab's hidden checks.
Time is kept on this side, by a clock that the student's code cannot reach.
"""

import builtins
import contextlib
import secrets
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError, field_validator

from autograder.policy import Policy
from autograder.protocol import ProtocolError, receive, send
from autograder.result import Status
from autograder.sandbox import Sandbox
from course.lab.checking import StudentCrash, StudentError, StudentFault, StudentTimeout

ENDED = "the process of the notebook ended"
GARBLED = "something wrote to the channel that the grader reads answers from"


class SessionOver(Exception):
    """The sandbox can answer nothing more."""


@dataclass(frozen=True)
class Cell:
    """A cell to execute: its id, the name under which feedback speaks of it, and its source."""

    id: str
    label: str
    source: str


class Told(BaseModel):
    """An error as the sandbox tells it; texts are cut to a length that a page can show."""

    type: str
    message: str
    places: list[tuple[str, int]]

    @field_validator("type", "message")
    @classmethod
    def _short(cls, text: str) -> str:
        return "".join(letter if letter.isprintable() else " " for letter in text[:400]).strip()


@dataclass(frozen=True)
class Stopped:
    """What stopped a cell or a call: the exception's type and text, and the student's own lines on the way to it."""

    type_name: str
    message: str
    lines: tuple[str, ...] = ()


@dataclass
class Session:
    """One submission's sandbox in use.

    Attributes:
        cells: the cells by id, from which tracebacks take their lines.
        incidents: the statuses that something earned, in the order of their coming.
        over: whether the sandbox can answer nothing more.
    """

    sandbox: Sandbox
    policy: Policy
    cells: Mapping[str, Cell]
    incidents: list[Status] = field(default_factory=list)
    over: bool = False

    def __post_init__(self):
        self.deadline = time.monotonic() + self.policy.total_seconds

    def execute(self, cell: Cell) -> Stopped | None:
        """Execute a cell; return what stopped it, or None.

        Raises:
            SessionOver: the cell ended the process, or went on after its time was up.
        """
        request = {"op": "cell", "cell": cell.id, "source": cell.source, "seconds": self.policy.cell_seconds}
        reply = self._ask(request, self.policy.cell_seconds + self.policy.grace_seconds)
        if reply.get("error") is None:
            return None
        return self.stopped(reply["error"])

    @contextlib.contextmanager
    def task(self, function: str, oracles: Mapping[str, Callable]) -> Iterator["TaskStudent"]:
        """The student's function, callable; ``oracles`` answer for the functions that it may build on."""
        student = TaskStudent(self, function, oracles)
        try:
            yield student
        finally:
            student.end()

    def stopped(self, error: Any) -> Stopped:
        """The error that the sandbox tells of, with lines taken from the notebook and not from the telling.

        Raises:
            ProtocolError: it is not the description of an error.
        """
        try:
            told = Told.model_validate(error)
        except ValidationError as invalid:
            raise ProtocolError("not the description of an error") from invalid
        if told.type == "MemoryError":
            self.incidents.append(Status.MEMORY)
        elif told.type == "CellTimeout":
            self.incidents.append(Status.TIMEOUT)
        return Stopped(told.type, told.message, tuple(filter(None, (self._line(*place) for place in told.places))))

    def fork(self, function: str, stand_ins: Sequence[str]) -> socket.socket:
        """Have the sandbox fork a child that serves ``function``; return the channel to it."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._send({"op": "task", "function": function, "stand_ins": list(stand_ins)})
            try:
                socket.send_fds(self.sandbox.control, [b"\0"], [theirs.fileno()])
            except OSError as error:
                ours.close()
                self._over(self.ending, error)
        return ours

    def reap(self) -> None:
        """Have the sandbox end the child."""
        self._ask({"op": "reap"}, self.policy.grace_seconds)

    def _line(self, cell_id: str, number: int) -> str | None:
        cell = self.cells.get(cell_id)
        lines = cell.source.splitlines() if cell else []
        if not 1 <= number <= len(lines):
            return None
        return f"{cell.label}, line {number}: {lines[number - 1].strip()[:160]}"

    def _ask(self, request: dict, seconds: float) -> dict:
        self._send(request)
        try:
            return receive(self.sandbox.control, min(time.monotonic() + seconds, self.deadline))
        except TimeoutError as error:
            self._over(Status.TIMEOUT, error)
        except ProtocolError as error:
            self._over(self.ending, error)

    def _send(self, request: dict) -> None:
        try:
            send(self.sandbox.control, request, min(time.monotonic() + self.policy.grace_seconds, self.deadline))
        except TimeoutError as error:
            self._over(Status.TIMEOUT, error)
        except ProtocolError as error:
            self._over(self.ending, error)

    @property
    def ending(self) -> Status:
        """What a process's end without an answer is called: out of memory if the sandbox's guard says so."""
        return Status.MEMORY if self.sandbox.out_of_memory else Status.CRASH

    def _over(self, status: Status, error: Exception) -> None:
        self.incidents.append(status)
        self.over = True
        raise SessionOver(str(error)) from error


class TaskStudent:
    """A student's function that runs in a child of the sandbox; what a hidden check calls ``student``.

    A call limited by the check itself (``seconds``) may be too slow and the next one fast, so that the child is
    forked afresh. After any other timeout, or a crash, the remaining calls fail at once.

    Attributes:
        raised: what the function raised so far, by the text that a check record gives it.
    """

    def __init__(self, session: Session, function: str, oracles: Mapping[str, Callable]):
        self.session, self.function, self.oracles = session, function, oracles
        self.channel: socket.socket | None = None
        self.fault: StudentFault | None = None
        self.raised: dict[str, Stopped] = {}
        self.deadline = min(time.monotonic() + session.policy.task_seconds, session.deadline)

    def __call__(self, *args: Any, seconds: float | None = None, **kwargs: Any) -> Any:
        """Call the function on the data and return the data that it returned.

        Raises:
            StudentError: the function raised, or returned something that is not plain data.
            StudentTimeout: no answer within ``seconds``, or within what the policy allows a call.
            StudentCrash: the process ended, or broke the protocol.
        """
        if self.fault:
            raise self.fault
        limit = self.session.policy.call_seconds if seconds is None else seconds
        try:
            return self._call(args, kwargs, limit)
        except TimeoutError:
            raise self._timed_out(limit, seconds is not None) from None
        except (ProtocolError, SessionOver) as error:
            raise self._crashed(GARBLED if type(error) is ProtocolError else ENDED) from error

    def end(self) -> None:
        """End the child, if one runs."""
        if self.channel is not None:
            self.channel.close()
            self.channel = None
            with contextlib.suppress(SessionOver):
                self.session.reap()

    def _call(self, args: tuple, kwargs: dict, limit: float) -> Any:
        if self.channel is None:
            self.channel = self.session.fork(self.function, list(self.oracles))
        call = secrets.token_hex(8)
        deadline = min(time.monotonic() + limit, self.deadline)
        send(self.channel, {"call": call, "args": args, "kwargs": kwargs}, deadline)
        while True:
            reply = receive(self.channel, deadline)
            if "ask" in reply:
                started = time.monotonic()
                self._answer(reply, deadline)
                deadline = min(deadline + time.monotonic() - started, self.deadline)
            elif reply.get("call") != call:
                raise ProtocolError("an answer to another call")
            elif "error" in reply:
                raise self._raised(reply["error"])
            else:
                return reply.get("value")

    def _raised(self, error: Any) -> StudentError:
        stopped = self.session.stopped(error)
        raised = StudentError(stopped.type_name, stopped.message, stopped.lines)
        self.raised[str(raised)] = stopped
        return raised

    def _answer(self, question: dict, deadline: float) -> None:
        """Tell what an earlier task's function should return; an exception of its oracle is an answer too."""
        oracle = self.oracles.get(str(question["ask"]))
        args, kwargs = question.get("args"), question.get("kwargs")
        if oracle is None or not isinstance(args, tuple) or not isinstance(kwargs, dict):
            raise ProtocolError("a question that no stand-in asks")
        try:
            with _alarm(self.session.policy.call_seconds):
                value = oracle(*args, **kwargs)
            send(self.channel, {"value": value}, deadline)
        except (TimeoutError, ProtocolError):
            raise
        except Exception as error:
            known = isinstance(getattr(builtins, type(error).__name__, None), type)
            told = {"type": type(error).__name__ if known else "ValueError", "message": str(error)[:400]}
            send(self.channel, {"error": told}, deadline)

    def _timed_out(self, limit: float, limited_by_check: bool) -> StudentTimeout:
        fault = StudentTimeout(limit)
        if not limited_by_check or time.monotonic() >= self.deadline:
            self.fault = fault
            self.session.incidents.append(Status.TIMEOUT)
        self.end()
        return fault

    def _crashed(self, sentence: str) -> StudentCrash:
        self.fault = StudentCrash(sentence)
        self.session.incidents.append(self.session.ending)
        self.end()
        return self.fault


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Raise TimeoutError in this, the main, thread after ``seconds``: a student chooses what an oracle computes."""

    def interrupt(_signal, _frame):
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
