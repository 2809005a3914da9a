"""Measuring what is missing: fresh processes, as many at once as wanted, resumable at any cell."""

import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from filelock import FileLock
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from course.channels import CONDITIONS
from course.ladder.heldout import BUILD, QUICK, HeldOut
from course.ladder.records import is_measured, ladder_folder, read_cell
from course.ladder.systems import SYSTEMS, System

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


@dataclass(frozen=True)
class Trial:
    """What one process measures: a system on a held-out set, in the conditions that have no record yet."""

    system: System
    heldout: HeldOut
    size: str
    conditions: tuple[str, ...]

    @property
    def name(self) -> str:
        """For progress and messages."""
        return f"{self.system.title} on {self.heldout.title.lower()}"


def missing(size: str, systems: Iterable[System]) -> list[Trial]:
    """The trials that would complete the table."""
    trials = []
    for system in systems:
        for heldout in system.sets:
            wanted = [one for one in CONDITIONS if is_measured(system, heldout, one, size)]
            conditions = [one for one in wanted if read_cell(system, heldout, one, size) is None]
            if conditions:
                trials.append(Trial(system, heldout, size, tuple(conditions)))
    return trials


def run(console: Console, size: str, systems: Sequence[System], jobs: int | None = None) -> dict[str, str]:
    """Measure every cell that has no record.

    Args:
        console: where progress goes.
        size: "quick", "build" or "full".
        systems: which.
        jobs: processes at once; each uses one thread. All cores if not given.

    Returns:
        Name of each trial that failed, with the last line that it printed.
    """
    jobs = jobs or cores()
    ladder_folder().mkdir(parents=True, exist_ok=True)
    with FileLock(str(ladder_folder() / "lock")):
        trials = missing(size, systems)
        if not trials:
            return {}
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console) as progress, ThreadPoolExecutor(jobs) as pool:
            task = progress.add_task("Ladder", total=sum(len(trial.conditions) for trial in trials))
            ends = pool.map(lambda trial: _measure(trial, lambda: progress.advance(task)), trials)
            return {trial.name: end for trial, end in zip(trials, ends, strict=True) if end}


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _measure(trial: Trial, advance) -> str:
    """Run a trial's process; empty, or the last line of what it complained about."""
    command = [sys.executable, "-m", "course.ladder.measure", trial.system.id, trial.heldout.id, trial.size]
    log = ladder_folder() / f"{trial.size}-{trial.system.id}-{trial.heldout.id}.log"
    with (
        log.open("w+") as errors,
        subprocess.Popen(
            [*command, *trial.conditions],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=os.environ | dict.fromkeys(ONE_THREAD, "1"),
        ) as process,
    ):
        for _ in process.stdout:
            advance()
    if process.returncode == 0:
        log.unlink()
        return ""
    return (log.read_text().strip().splitlines() or [f"it ended with status {process.returncode}"])[-1]


def ensure(console: Console, quick: bool = False) -> None:
    """Measure what the tables of the site lack, before its pages are made.

    A system that fails is named on the console; its cells in the tables then say that they were not measured.

    Args:
        console: where progress goes.
        quick: be content with one speaker and a few recordings, unless more has been measured.
    """
    size = QUICK if quick and missing(BUILD, SYSTEMS) else BUILD
    for name, complaint in run(console, size, SYSTEMS).items():
        console.print(f"Ladder: {name} was not measured: {complaint}", style="yellow", highlight=False, markup=False)
