"""Functions run in forked children with limits, so many at once: code that may loop for ever or ask for all memory.

It protects against accidents in an author's own code, which is what mutants are. What strangers write goes into the
sandbox instead.
"""

import contextlib
import multiprocessing
import os
import resource
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

FORKING = multiprocessing.get_context("fork")
MEMORY_BYTES = 4 * 2**30
FILE_BYTES = 64 * 2**20


@dataclass
class Child:
    """A function that runs in a child; ``said`` is what it has sent so far, and ``error`` what it raised."""

    task: Any
    process: BaseProcess
    ear: Connection
    deadline: float
    folder: tempfile.TemporaryDirectory
    said: list = field(default_factory=list)
    ended: str | None = None
    error: str | None = None


def run_each(
    function: Callable[[Any, Callable[[Any], None]], None], tasks: Iterable[Any], jobs: int, seconds: float
) -> Iterator[Child]:
    """Call ``function(task, say)`` for each task in a child of its own, ``jobs`` at a time; yield ended children.

    Args:
        function: sends what it finds, piece by piece, by ``say(picklable)``.
        tasks: one for each child.
        jobs: children at once.
        seconds: wall-clock limit of a child; one that is killed has ``ended == "timeout"``, one that dies ``"crash"``.
    """
    waiting, running = iter(tasks), []
    try:
        while True:
            while len(running) < jobs and (task := next(waiting, None)) is not None:
                running.append(_start(function, task, seconds))
            if not running:
                return
            _listen(running)
            for child in [child for child in running if child.ended]:
                running.remove(child)
                _end(child)
                yield child
    finally:
        for child in running:
            _end(child)


def _start(function: Callable, task: Any, seconds: float) -> Child:
    ear, mouth = FORKING.Pipe(duplex=False)
    folder = tempfile.TemporaryDirectory(prefix="course-mutant-")
    process = FORKING.Process(target=_work, args=(function, task, mouth, folder.name), daemon=True)
    process.start()
    mouth.close()
    return Child(task, process, ear, time.monotonic() + seconds, folder)


def _work(function: Callable, task: Any, mouth: Connection, folder: str) -> None:
    """In the child: silence, an empty folder to work in, limits; then the function."""
    os.chdir(folder)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        warnings.simplefilter("ignore")
        try:
            function(task, lambda piece: mouth.send(("said", piece)))
            mouth.send(("ended", "done"))
        except Exception:
            mouth.send(("error", traceback.format_exc()))


def _listen(running: list[Child]) -> None:
    """Take in what the children send, until one of them ends or runs out of time."""
    patience = min(child.deadline for child in running) - time.monotonic()
    ready = wait([child.ear for child in running], timeout=max(patience, 0))
    for child in running:
        if child.ear in ready:
            _hear(child)
        elif child.deadline <= time.monotonic():
            child.ended = "timeout"


def _hear(child: Child) -> None:
    try:
        kind, piece = child.ear.recv()
    except (EOFError, OSError):
        child.ended = "crash"
        return
    if kind == "said":
        child.said.append(piece)
    elif kind == "error":
        child.ended, child.error = "error", piece
    else:
        child.ended = "done"


def _end(child: Child) -> None:
    if child.ended == "done":
        with contextlib.suppress(TimeoutError):
            child.process.join(5)
    child.process.kill()
    child.process.join()
    child.ear.close()
    child.folder.cleanup()
