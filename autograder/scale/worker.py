"""A worker's own grading process: started with the worker, kept for many submissions, started anew when it dies.

A worker of Beam runs many threads, and grading forks: so that no fork meets a lock that another thread holds, the
grading has a process of its own (:mod:`autograder.scale.server`). It ends when its connection to the worker does.
"""

import json
import os
import socket
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection
from typing import Literal

from pydantic import BaseModel

from autograder.scale.plan import Element, Plan, Unfit

ATTEMPTS = 2
END_SECONDS = 10.0


class Reply(BaseModel):
    """What the server answers: it is done with what it was asked, or this machine cannot do it, and why."""

    kind: Literal["done", "unfit"]
    sentence: str = ""


class ServerLost(Exception):
    """The server ended before it had answered."""


@dataclass
class GradingServer:
    """A grading process as its worker sees it; it is started anew when something ends it.

    Raises:
        Unfit: from the constructor and from :meth:`grade`: this machine cannot grade as the plan wants it.
    """

    plan: Plan
    process: subprocess.Popen = field(init=False)
    connection: Connection = field(init=False)

    def __post_init__(self):
        self._start()

    def grade(self, element: Element) -> None:
        """Have the element's result in the store when this returns; if it is there already, nothing happens.

        A submission that takes the process along twice gets a result that says so.
        """
        request = {"element": asdict(element)}
        for _ in range(ATTEMPTS):
            try:
                return self._ask(request)
            except ServerLost as lost:
                fault = str(lost)
                self.close()
                self._start()
        return self._ask(request | {"fault": fault})

    def close(self) -> None:
        """End the process, with what it is grading."""
        self.connection.close()
        try:
            self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-P", "-m", "autograder.scale.server", str(theirs.fileno())]
            self.process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        self.connection = Connection(ours.detach())
        try:
            self._ask(self.plan.model_dump(mode="json"))
        except ServerLost as lost:
            self.close()
            raise Unfit(f"The worker {here()} cannot start a grading process: {lost}.") from lost

    def _ask(self, request: dict) -> None:
        try:
            self.connection.send_bytes(json.dumps(request).encode())
            reply = Reply.model_validate_json(self.connection.recv_bytes())
        except (EOFError, OSError) as error:
            code = self.process.wait()
            raise ServerLost(f"the grading process ended with exit code {code}") from error
        if reply.kind == "unfit":
            self.close()
            raise Unfit(reply.sentence)


def here() -> str:
    """This process, for messages."""
    return f"{socket.gethostname()}:{os.getpid()}"
