"""The inference service in a process of its own, for whoever talks HTTP to it: lectures, labs and load (Lecture 10)."""

import atexit
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import psutil

from course.errors import CourseError
from course.kit import root

START_SECONDS, READY_SECONDS, STOP_SECONDS, LOG_SECONDS = 60.0, 180.0, 60.0, 10.0  # on a busy machine
LOOK_SECONDS = 0.05
IN_GOOD_ORDER = ("ready", "loading")  # states of a model that is there or will be
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # the service is on this machine


class Service:
    """A service that runs; a context manager that stops it. One that nobody stops ends with this program.

    Args:
        process: as `started` begins it.
        url: its address, without a slash at the end.
        folder: where its standard output and its complaints are collected.

    Attributes:
        process: of the operating system, to look at its memory or to send it signals.
    """

    def __init__(self, process: subprocess.Popen, url: str, folder: tempfile.TemporaryDirectory):
        self._popen, self.url, self._folder = process, url, folder
        self.process = psutil.Process(process.pid)
        atexit.register(self.stop)

    def lines(self) -> list[str]:
        """What it has logged so far, a line for each entry; a last line that is half written is left out."""
        text = _read(self._folder, "out")
        return text[: text.rfind("\n") + 1].splitlines()

    def entries(self, requests: int = 0) -> list[dict[str, Any]]:
        """The same as Google Cloud Logging's LogEntry objects.

        Args:
            requests: whose entries are waited for; a request is logged a moment after its answer has been sent.

        Raises:
            CourseError: so many do not come.
        """
        end = time.monotonic() + LOG_SECONDS
        while True:
            found = [json.loads(line) for line in self.lines()]
            logged = sum("httpRequest" in entry for entry in found)
            if logged >= requests:
                return found
            if time.monotonic() > end:
                raise CourseError(f"Log entries of {requests} requests were expected and {logged} came. Ask for fewer.")
            time.sleep(LOOK_SECONDS)

    def stop(self) -> int:
        """Ask it to end (SIGTERM), wait until it has finished what it began, and return its exit status."""
        atexit.unregister(self.stop)
        self._popen.terminate()
        try:
            return self._popen.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            return self._popen.wait()

    def __enter__(self) -> "Service":
        return self

    def __exit__(self, *_) -> None:
        self.stop()


def started(engine: str = "fake", **settings) -> Service:
    """Start the service on a free port and wait until its models are ready.

    Args:
        engine: "fake" answers without any model, "real" with SmolLM2 and Moonshine.
        settings: as in services/inference/README.md, in small letters and without INFERENCE_: ``max_batch=8``.

    Raises:
        CourseError: a setting that there is not, a model that is missing, or a service that did not get ready.
    """
    folder = tempfile.TemporaryDirectory(prefix="inference-", ignore_cleanup_errors=True)
    chosen = {f"INFERENCE_{name.upper()}": str(value) for name, value in settings.items()}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("INFERENCE_")}
    command = [sys.executable, "-m", "services.inference", "--engine", engine, "--port", "0"]
    with open(Path(folder.name, "out"), "wb") as out, open(Path(folder.name, "err"), "wb") as err:
        process = subprocess.Popen(
            command, cwd=root(), env=kept | chosen, stdin=subprocess.DEVNULL, stdout=out, stderr=err
        )
    service = None
    try:
        service = Service(process, _address(process, folder), folder)
        _wait_until_ready(service)
    except BaseException:
        process.kill()
        process.wait()
        if service:
            atexit.unregister(service.stop)
        raise
    return service


def _read(folder: tempfile.TemporaryDirectory, name: str) -> str:
    return Path(folder.name, name).read_text(encoding="utf-8", errors="replace")


def _address(process: subprocess.Popen, folder: tempfile.TemporaryDirectory) -> str:
    """What the service says in its first line of standard error."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        said, ended = _read(folder, "err"), process.poll() is not None
        words = said.split()
        if said.endswith("\n") and (found := [word.rstrip(";") for word in words if word.startswith("http://")]):
            return found[0]
        if ended:
            raise CourseError(f"The service was expected to start, and said: {said.strip() or 'nothing'}")
        time.sleep(LOOK_SECONDS)
    raise CourseError(f"The service was expected to start within {START_SECONDS:g} s and has not.")


def _wait_until_ready(service: Service) -> None:
    """Return when ``/readyz`` says so."""
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end:
        try:
            with DIRECT.open(f"{service.url}/readyz", timeout=30):
                return
        except urllib.error.HTTPError as answer:
            states = json.load(answer)["models"].values()
        if missing := [state for state in states if state not in IN_GOOD_ORDER]:
            raise CourseError(missing[0])
        time.sleep(LOOK_SECONDS)
    raise CourseError(f"The service was expected to be ready within {READY_SECONDS:g} s and is not.")
