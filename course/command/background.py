"""The site's server as a process of its own, so that ``course up`` can end while the site stays served."""

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from course.errors import CourseError
from course.storage import write_atomic

START_SECONDS = 20
PORTS_TO_TRY = 20


@dataclass(frozen=True)
class Server:
    """A server that runs on loopback: its process, the process's start time, and its port."""

    pid: int
    started: float
    port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/"


def running(record: Path) -> Server | None:
    """The server that ``record`` names, if that very process still lives (a recycled process id does not count)."""
    try:
        server = Server(**json.loads(record.read_text()))
        process = psutil.Process(server.pid)
    except (OSError, ValueError, TypeError, psutil.NoSuchProcess):
        return None
    same = abs(process.create_time() - server.started) < 1 and process.status() != psutil.STATUS_ZOMBIE
    return server if same else None


def start(record: Path, port: int) -> Server:
    """Serve the built site in the background and wait until it answers; a server that already runs is kept.

    Args:
        record: the file that remembers the process; its output goes to a log beside it.
        port: the port wished for; the next free one is taken if another program has it.

    Raises:
        CourseError: no port is free, or the server does not answer.
    """
    server = running(record)
    if server:
        return server
    port = free_port(port)
    log = record.with_suffix(".log")
    command = [sys.executable, "-m", "course.command", "site", "serve", "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    server = Server(process.pid, psutil.Process(process.pid).create_time(), port)
    write_atomic(record, json.dumps(asdict(server)))
    wait_until_it_answers(server, process, log)
    return server


def free_port(wished: int) -> int:
    """``wished``, or the next port above it that no program listens on."""
    for port in range(wished, min(wished + PORTS_TO_TRY, 65536)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise CourseError(f"Ports {wished} to {wished + PORTS_TO_TRY - 1} are all taken; name another with --port.")


def wait_until_it_answers(server: Server, process: subprocess.Popen, log: Path) -> None:
    """Return once the landing page comes; raise CourseError with the server's last words if it does not."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(server.address, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    words = (log.read_text(errors="replace").strip().splitlines() or ["it said nothing"])[-1]
    raise CourseError(f"The site's server did not answer on {server.address}: {words}. Its log: {log}")


def stop(record: Path) -> Server | None:
    """End the server that ``record`` names and forget it; None where none runs."""
    server = running(record)
    if server:
        process = psutil.Process(server.pid)
        process.terminate()
        try:
            process.wait(5)
        except psutil.TimeoutExpired:
            process.kill()
    record.unlink(missing_ok=True)
    return server
