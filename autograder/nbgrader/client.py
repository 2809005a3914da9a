"""nbgrader's end of the line to :mod:`autograder.nbgrader.service`, the process that takes in and grades submissions.

A process of its own, not a fork: a Jupyter server has threads and open connections that a child must not get, and
starting Python anew through ``multiprocessing`` would run nbgrader's command a second time.
"""

import atexit
import contextlib
import json
import multiprocessing
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

from nbgrader.converters import NbGraderException

ENDED = "The process that grades has ended; run the same command again, and what is graded already stays."
PATIENCE = 5.0  # seconds that the process has to end in order


class Service:
    """The other process; it starts with the first question and ends with this process."""

    def __init__(self):
        self.process: subprocess.Popen | None = None
        self.questions = 0
        atexit.register(self.close)

    def ask(self, question: dict[str, Any], answers: int = 1) -> Iterator[dict[str, Any]]:
        """Put a question; return an iterator over its answers, each as soon as it is there.

        Raises:
            NbGraderException: from the iterator; the question was refused, with the reason, or the process has ended.
        """
        self._start()
        self.questions += 1
        try:
            self.connection.send_bytes(json.dumps(question | {"number": self.questions}).encode())
        except OSError as error:
            self.close()
            raise NbGraderException(ENDED) from error
        return self._answers(self.questions, answers)

    def close(self) -> None:
        """End the process, letting it end its sandboxes."""
        if not self.process:
            return
        self.connection.close()
        for end in (lambda: None, self.process.terminate, self.process.kill):
            end()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(PATIENCE)
                break
        self.process = None

    def _start(self) -> None:
        if self.process and self.process.poll() is None:
            return
        self.close()
        self.connection, theirs = multiprocessing.Pipe()
        # -P: a class folder is no place to import from.
        command = [sys.executable, "-P", "-m", "autograder.nbgrader.service", str(theirs.fileno())]
        # A session of its own, so that Ctrl-C reaches nbgrader alone, which then ends the service in order.
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, pass_fds=(theirs.fileno(),), start_new_session=True
        )
        theirs.close()

    def _answers(self, number: int, answers: int) -> Iterator[dict[str, Any]]:
        while answers:
            try:
                answer = json.loads(self.connection.recv_bytes())
            except (EOFError, OSError) as error:
                self.close()
                raise NbGraderException(ENDED) from error
            if answer["number"] != number:
                # An answer to an earlier question, which nobody waited for.
                continue
            if "refused" in answer:
                raise NbGraderException(answer["refused"])
            answers -= 1
            yield answer


@cache
def service() -> Service:
    """The one service of this process."""
    return Service()
