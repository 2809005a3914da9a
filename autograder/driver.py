"""Runs a student's notebook and answers calls of its functions: the process that is trusted with nothing.

A sandbox's own process becomes it (:mod:`autograder.zygote`); for submissions that are trusted it is started as
``python -m autograder.driver FD LIMITS`` with a socket as file descriptor FD. The student's code shares this process
and may do to it whatever it likes: what is said here is the student's word, to be judged by the checker, which runs
elsewhere.

Requests on the control socket: ``cell`` (execute one), ``task`` (fork a child that serves one function on a socket
of its own, sent with the request) and ``reap`` (end that child and say how it ended).
"""

import builtins
import contextlib
import json
import os
import resource
import select
import signal
import socket
import sys
import traceback
from typing import Any

from IPython.core.compilerop import CachingCompiler
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from autograder.protocol import Closed, receive, send

CELL_FILE = "cell:"
LONGEST_MESSAGE = 400
MOST_FRAMES = 4
PATIENCE_SECONDS = 0.2


class CellTimeout(BaseException):
    """The cell's time is up; no Exception, so that a student's ``except Exception`` does not catch it."""


class CellCompiler(CachingCompiler):
    """Names the code of a cell after the cell, so that a traceback tells which cell a line is in."""

    cell = ""

    def get_code_name(self, raw_code, transformed_code, number):
        """The file name that tracebacks show for the current cell."""
        return CELL_FILE + self.cell


class Shell(InteractiveShell):
    """IPython as a notebook has it, with nobody watching: errors are returned and not printed."""

    compiler_class = CellCompiler

    def showtraceback(self, *args, **kwargs):
        """Show nothing; the error is in the result of ``run_cell``."""

    def showsyntaxerror(self, *args, **kwargs):
        """Show nothing."""

    def enable_gui(self, gui=None):
        """Accept ``%matplotlib inline``, which asks for an event loop; there is none to start."""

    def ask_exit(self):
        """Go on with the next cell after ``exit``, as Run All does."""


def main() -> None:
    """Be the driver of a submission that is trusted: a plain process with limits."""
    shell = make_shell()
    limit(json.loads(sys.argv[2]))
    silence()
    serve(socket.socket(fileno=int(sys.argv[1])), shell)


def make_shell() -> Shell:
    """The shell that will execute the cells."""
    return Shell.instance(config=Config({"HistoryManager": {"enabled": False}}))


def limit(limits: dict[str, int]) -> None:
    """Put resource limits, named as in RLIMIT_NAME, on this process and its children."""
    for name, value in limits.items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))


def silence() -> None:
    """Point standard input, output and error at nothing: a student's output is no evidence and fills no disk."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)


def serve(control: socket.socket, shell: Shell) -> None:
    """Serve requests until the other end of the control socket closes.

    Raises:
        Closed: it has closed.
    """
    control.set_inheritable(False)
    send(control, {"ready": True})
    child = 0
    while True:
        request = receive(control)
        if request["op"] == "cell":
            send(control, run_cell(shell, request["cell"], request["source"], request["seconds"]))
        elif request["op"] == "task":
            child = _fork_child(control, shell.user_ns, request["function"], request["stand_ins"])
        elif request["op"] == "reap":
            send(control, {"status": _reap(child)})


def run_cell(shell: Shell, cell: str, source: str, seconds: float) -> dict[str, Any]:
    """Execute a cell and describe the error that stopped it, if any."""

    def interrupt(_signal, _frame):
        raise CellTimeout(f"The cell took longer than {seconds:g} s.")

    shell.compile.cell = cell
    signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        result = shell.run_cell(source, store_history=True)
        signal.setitimer(signal.ITIMER_REAL, 0)
        error = result.error_before_exec or result.error_in_exec
    except CellTimeout as late:
        error = late
    if error is None:
        return {"error": None}
    told = describe(error)
    if isinstance(error, SyntaxError) and error.lineno:
        told |= {"message": str(error.msg), "places": [[cell, error.lineno]]}
    return {"error": told}


def describe(error: BaseException) -> dict[str, Any]:
    """The error's type, its text cut short, and the last places in the student's cells that it passed through."""
    try:
        message = str(error)[:LONGEST_MESSAGE]
    except BaseException:
        message = "the text of the exception could not be read"
    places = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    cells = [[file[len(CELL_FILE) :], line] for file, line in places if file.startswith(CELL_FILE)]
    return {"type": type(error).__name__, "message": message, "places": cells[-MOST_FRAMES:]}


def serve_function(channel: socket.socket, namespace: dict[str, Any], name: str, stand_ins: list[str]) -> None:
    """Answer calls of ``namespace[name]`` until the channel closes, with the stand-ins in the namespace."""
    for other in stand_ins:
        namespace[other] = _stand_in(channel, other)
    while True:
        request = receive(channel)
        try:
            send(channel, {"call": request["call"], "value": _call(namespace, name, request)})
        except Closed:
            return
        except BaseException as error:
            send(channel, {"call": request["call"], "error": describe(error)})


def _call(namespace: dict[str, Any], name: str, request: dict[str, Any]) -> Any:
    if name not in namespace:
        raise NameError(f"no cell defines a function {name}")
    return namespace[name](*request["args"], **request["kwargs"])


def _stand_in(channel: socket.socket, name: str):
    """A function that has the checker's oracle compute what the task ``name`` should."""

    def stand_in(*args, **kwargs):
        send(channel, {"ask": name, "args": args, "kwargs": kwargs})
        reply = receive(channel)
        if "error" in reply:
            kind = getattr(builtins, reply["error"]["type"], RuntimeError)
            raise kind(reply["error"]["message"])
        return reply["value"]

    stand_in.__name__ = stand_in.__qualname__ = name
    return stand_in


def _fork_child(control: socket.socket, namespace: dict[str, Any], name: str, stand_ins: list[str]) -> int:
    """Fork a child that serves one task on the socket that comes with the request; return its process id."""
    _, (descriptor,), _, _ = socket.recv_fds(control, 1, 1)
    child = os.fork()
    if child:
        os.close(descriptor)
        return child
    try:
        os.setsid()
        control.close()
        serve_function(socket.socket(fileno=descriptor), namespace, name, stand_ins)
    finally:
        os._exit(0)


def _reap(child: int) -> int:
    """End the child and what it started in its session; return its exit code, or the signal it died of, negated."""
    status = _ended(child)
    for end in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError):
            end(child, signal.SIGKILL)
    try:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1] if status is None else status)
    except ChildProcessError:
        return 0


def _ended(child: int) -> int | None:
    """The wait status of a child that ends by itself within a moment, else None."""
    try:
        process = os.pidfd_open(child)
    except ProcessLookupError:
        return 0
    try:
        select.select([process], [], [], PATIENCE_SECONDS)
        finished, status = os.waitpid(child, os.WNOHANG)
    except ChildProcessError:
        return 0
    finally:
        os.close(process)
    return status if finished else None


if __name__ == "__main__":
    try:
        main()
    except Closed:
        os._exit(0)
