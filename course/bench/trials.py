"""Trials: what is measured once, in an order that is drawn by lot, so that a drift of the machine hits all alike."""

import contextlib
import os
import random
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from course.bench.record import Sample
from course.errors import CourseError

LOOK_SECONDS = 0.1
LONGEST_COMPLAINT = 600


@dataclass(frozen=True)
class Trial:
    """Something to measure: its name, in how many rounds, and what to run; samples come back without their place."""

    name: str
    rounds: int
    measure: Callable[[], Sequence[Sample]]


@dataclass(frozen=True)
class Command:
    """A program with its arguments, the folder that it runs in, and its whole environment."""

    arguments: Sequence[str]
    folder: Path
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Peak:
    """The largest sum over a tree of processes that was seen.

    Attributes:
        resident: bytes in memory, where what two processes share counts twice.
        proportional: bytes in memory, where what they share is divided among them; None where the system does not
            tell it about other users' processes.
    """

    resident: int
    proportional: int | None


def in_rounds(trials: Iterable[Trial], seed: int) -> list[Trial]:
    """The trials in the order to run them: round by round, each round shuffled."""
    trials, drawn = list(trials), random.Random(seed)
    order = []
    for number in range(max((trial.rounds for trial in trials), default=0)):
        in_this_round = [trial for trial in trials if trial.rounds > number]
        drawn.shuffle(in_this_round)
        order += in_this_round
    return order


def run_trials(order: Sequence[Trial], console: Console) -> tuple[list[Sample], list[str]]:
    """Run trials one after the other; return the samples and a sentence for each trial that failed."""
    samples, faults = [], []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("", total=len(order))
        for place, trial in enumerate(order):
            progress.update(bar, description=trial.name)
            try:
                samples += [sample.model_copy(update={"trial": place}) for sample in trial.measure()]
            except CourseError as error:
                faults.append(f"trial {place}, {trial.name}: {error}")
            progress.advance(bar)
    return samples, faults


def seconds_of(commands: Sequence[Command]) -> float:
    """Run commands side by side; return the wall-clock seconds until the last one has ended.

    Raises:
        CourseError: one of them failed, with the end of what it printed.
    """
    started = time.perf_counter()
    with _started(commands) as processes:
        for process in processes:
            process.wait()
    return time.perf_counter() - started


def peak_of(commands: Sequence[Command]) -> Peak:
    """Run commands side by side, and look ten times a second at how much memory they and all descendants hold.

    Raises:
        CourseError: one of them failed, with the end of what it printed.
    """
    looks = []
    with _started(commands) as processes:
        while any(process.poll() is None for process in processes):
            looks.append(_memory(process.pid for process in processes))
            time.sleep(LOOK_SECONDS)
    proportional = [look.proportional for look in looks]
    known = None not in proportional
    return Peak(max(look.resident for look in looks), max(proportional) if known else None)


@contextlib.contextmanager
def _started(commands: Sequence[Command]) -> Iterator[list[subprocess.Popen]]:
    """Processes that are ended, with their groups, when the block is left early, and must have succeeded otherwise."""
    with contextlib.ExitStack() as files:
        logs = [files.enter_context(tempfile.TemporaryFile()) for _ in commands]
        processes = [_start(command, log) for command, log in zip(commands, logs, strict=True)]
        try:
            yield processes
        finally:
            for process in processes:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        for command, process, log in zip(commands, processes, logs, strict=True):
            if process.returncode != 0:
                raise CourseError(_complaint(command, process.returncode, log))


def _start(command: Command, log) -> subprocess.Popen:
    return subprocess.Popen(
        command.arguments,
        cwd=command.folder,
        env=command.environment,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def _complaint(command: Command, status: int, log) -> str:
    log.seek(0)
    end = log.read().decode(errors="replace").strip()[-LONGEST_COMPLAINT:]
    return f"`{' '.join(command.arguments)}` was expected to succeed and ended with status {status}:\n{end}"


def _memory(roots: Iterable[int]) -> Peak:
    """What the processes and their descendants hold now; a process that ends meanwhile counts nothing."""
    resident, proportional = 0, 0
    for process in _tree(roots):
        with contextlib.suppress(psutil.NoSuchProcess):
            try:
                memory = process.memory_full_info()
                proportional = None if proportional is None else proportional + memory.pss
            except psutil.AccessDenied:
                memory, proportional = process.memory_info(), None
            resident += memory.rss
    return Peak(resident, proportional)


def _tree(roots: Iterable[int]) -> list[psutil.Process]:
    found = []
    for pid in roots:
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            found += [process, *process.children(recursive=True)]
    return found
