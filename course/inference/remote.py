"""A backend whose model lives in other processes: commands go out over a socket, logits come back (Lecture 11).

Every process runs `course.inference.worker`; together they are one process group, and the first of them answers. A call
returns when its logits are here, so the socket's time is part of it: a tenth of a millisecond for one row of logits.
"""

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from multiprocessing.connection import Connection, Listener, wait
from pathlib import Path

import psutil
import torch

from course.errors import CourseError
from course.inference.protocol import Backend, Setup

ADDRESS, KEY = "COURSE_INFERENCE_ADDRESS", "COURSE_INFERENCE_KEY"
START_SECONDS, ANSWER_SECONDS = 1800.0, 600.0  # the first start of DeepSpeed compiles
HOST = "127.0.0.1"
LONGEST_COMPLAINT = 600


def free_port(wanted: int | None) -> int:
    """A TCP port of this machine that nobody listens on: the wanted one, or any.

    Raises:
        CourseError: the wanted one is in use, or is none.
    """
    with socket.socket() as probe:
        try:
            probe.bind((HOST, wanted or 0))
        except (OSError, OverflowError) as error:
            reason = error.strerror if isinstance(error, OSError) else "there is no such port"
            raise CourseError(
                f"Port {wanted} for the process group cannot be had: {reason}. "
                "Name another, or none to have a free one chosen."
            ) from error
        return probe.getsockname()[1]


class Remote(Backend):
    """The parent's side. A subclass says how the processes are started and what each of them holds."""

    shard = ("", "")  # module and class of `course.inference` that a process makes of the setup

    def __init__(self, setup: Setup):
        super().__init__(setup)
        self.device = torch.device("cpu")  # logits arrive in this process's memory
        self._processes, self._connections, self._port = [], [], free_port(setup.port)
        self._folder = Path(tempfile.mkdtemp(prefix="course-inference-"))
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    @property
    def n_processes(self) -> int:
        """How many there are."""
        return self.setup.processes

    def commands(self) -> list[tuple[list[str], dict[str, str]]]:
        """For each program to start, its arguments and what it finds in its environment."""
        raise NotImplementedError

    def close(self) -> None:
        """End the processes with all their descendants, and remove what they left."""
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.send(("close", None))
        for process in self._processes:
            _end(process)
        for connection in self._connections:
            connection.close()
        self._processes, self._connections = [], []
        shutil.rmtree(self._folder, ignore_errors=True)

    def _use_threads(self, threads: int) -> None:
        """Each process sets its own."""

    def _prefill(self, tokens: torch.Tensor) -> torch.Tensor:
        return self._ask("prefill", tokens)

    def _decode(self, tokens: torch.Tensor) -> torch.Tensor:
        return self._ask("decode", tokens)

    def _logits(self, tokens: torch.Tensor) -> torch.Tensor:
        return self._ask("logits", tokens)

    def _reset(self) -> None:
        self._ask("reset", None)

    def _start(self) -> None:
        key, address = secrets.token_bytes(16), str(self._folder / "socket")
        with Listener(address, "AF_UNIX", backlog=self.n_processes, authkey=key) as listener:
            for number, (arguments, environment) in enumerate(self.commands()):
                own = {**os.environ, **environment, ADDRESS: address, KEY: key.hex()}
                with (self._folder / f"log-{number}").open("wb") as log:
                    process = subprocess.Popen(
                        arguments, env=own, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
                    )
                self._processes.append(process)
            self._connections = self._accepted(listener)
        for connection in self._connections:
            connection.send((*self.shard, self.setup))
        for _ in self._connections:
            self._answer(START_SECONDS)

    def _accepted(self, listener: Listener) -> list[Connection]:
        """One connection from each process; whoever ends before it connects ends the wait."""
        found: list[Connection] = []

        def accept():
            with contextlib.suppress(OSError, EOFError):  # the listener was closed, or a process died in the middle
                while len(found) < self.n_processes:
                    found.append(listener.accept())

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        deadline = time.monotonic() + START_SECONDS
        while thread.is_alive():
            thread.join(0.05)
            if any(process.poll() is not None for process in self._processes) or time.monotonic() > deadline:
                raise CourseError(self._complaint("did not start"))
        return found

    def _ask(self, verb: str, tokens: torch.Tensor | None) -> torch.Tensor:
        if not self._connections:
            raise CourseError(f"{self.name} was closed. Make a new one.")
        for connection in self._connections:
            connection.send((verb, None if tokens is None else tokens.cpu().numpy()))
        answer = self._answer(ANSWER_SECONDS)
        return None if answer is None else torch.from_numpy(answer)

    def _answer(self, seconds: float):
        """What the first process that has something to say says; if it is a failure, all are ended."""
        ready = wait(self._connections, timeout=seconds)
        try:
            failed, answer = ready[0].recv()
        except (IndexError, EOFError, OSError):
            failed, answer = True, ""
        if failed:
            complaint = f"{self.name}: {answer}" if answer else self._complaint("stopped in the middle")
            self.close()
            raise CourseError(complaint)
        return answer

    def _complaint(self, what: str) -> str:
        ends = [log.read_text(errors="replace").strip()[-LONGEST_COMPLAINT:] for log in self._folder.glob("log-*")]
        return f"{self.name}: a process {what}. Its last words: {' | '.join(filter(None, ends)) or 'none'}"


def _end(process: subprocess.Popen) -> None:
    """End a process and all its descendants: politely for two seconds, then not."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(2)
    family = []
    with contextlib.suppress(psutil.NoSuchProcess):
        family = psutil.Process(process.pid).children(recursive=True)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    for member in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()
    process.wait()
