"""A measurement from its plan to its record: fresh processes one after the other, resumed where they were ended.

Variants that fit into memory together take turns within each process. Where they do not fit, each has a process of its
own, and the processes take turns, in an order drawn by lot.
"""

import fcntl
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from course.bench.machine import commit
from course.errors import CourseError, shown
from course.kit import build_dir
from course.measure.devices import resolved
from course.measure.plan import Part, Plan
from course.measure.record import Ceiling, Device, Load, Record, Request, Trial, Variant
from course.measure.scenarios import SERVER
from course.measure.sources import Source, source_for
from course.measure.worker import SIGN, Task
from course.storage import make_folder, write_atomic

HEADROOM = 0.9  # of the free memory that may be planned for: activations and libraries take the rest
LONGEST_COMPLAINT = 800
TRACEBACK = "Traceback (most recent call last)"
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def run(plan: Plan, console: Console, folder: Path | None = None) -> Record:
    """Measure what the plan says, or go on where an earlier run of the same plan was ended.

    Args:
        plan: what to measure.
        console: for progress.
        folder: of partial results; one for each plan in build/measure/partial if not given.

    Raises:
        CourseError: a backend is unknown or cannot run here, memory does not suffice, or a process failed; what was
            measured until then stays.
    """
    source = source_for(plan)
    source.check(plan)
    units = _units(plan, source, console)
    folder = folder or partial_folder(plan)
    make_folder(folder)
    write_atomic(folder / "plan.json", plan.model_dump_json())
    total = sum(len(unit.names) for unit in units) * (1 if plan.scenario == SERVER else plan.rounds)
    try:
        with _alone(folder), _progress(console) as progress:
            bar = progress.add_task("measuring", total=total)
            for unit in units:
                _run_unit(plan, folder, unit, progress, bar)
    except (CourseError, KeyboardInterrupt) as error:
        kept = sum(len(found.trials) for found in _read_all(folder))
        ended = "The measurement was ended." if isinstance(error, KeyboardInterrupt) else str(error)
        raise CourseError(
            f"{ended} {kept} trials are kept in {shown(folder)}; the same command goes on there."
        ) from error
    return assemble(plan, folder)


def finish(plan: Plan, folder: Path | None = None) -> None:
    """Remove the partial results, once the record is stored."""
    shutil.rmtree(folder or partial_folder(plan), ignore_errors=True)


def partial_folder(plan: Plan) -> Path:
    """Where the plan's partial results are."""
    return build_dir() / "measure" / "partial" / plan.key


def assemble(plan: Plan, folder: Path) -> Record:
    """The record of all that was measured, in the order in which it was.

    Raises:
        CourseError: no variant was measured.
    """
    found = _read_all(folder)
    trials = [trial for one in found for trial in one.trials]
    requests = [request for one in found for request in one.requests]
    sampled = {sample.variant for sample in (*trials, *requests)}
    by_name = {variant.name: variant for one in found for variant in one.variants if variant.name in sampled}
    names = [part.name for part in plan.parts() if part.name in by_name]
    device = next((one.device for one in found if one.device), None)
    faults = tuple(dict.fromkeys(fault for one in found for fault in one.faults))
    reference = plan.parts()[0].name
    if device is None or reference not in names:
        raise CourseError(" ".join((f"The baseline {reference} gave no sample.", *faults)))
    kept = [trial for trial in trials if trial.variant in by_name]
    return Record(
        lab=plan.lab,
        nonce=plan.nonce,
        created=datetime.now(UTC),
        kit=commit(),
        scenario=plan.scenario,
        baseline=reference,
        settings=plan.model_dump(mode="json", exclude={"lab", "nonce"}),
        device=device,
        variants=tuple(by_name[name] for name in names),
        trials=tuple(trial.model_copy(update={"place": place}) for place, trial in enumerate(kept)),
        requests=tuple(request for request in requests if request.variant in by_name),
        load=Load(objective=plan.objective, share=plan.share, seed=plan.seed) if plan.scenario == SERVER else None,
        ceilings=_joined([ceiling for one in found for ceiling in one.ceilings]),
        faults=faults,
    ).sealed()


def _joined(ceilings: Sequence[Ceiling]) -> tuple[Ceiling, ...]:
    """What all processes measured of each limit, together: a ceiling is the best that was seen."""
    rates: dict[tuple[str, str], tuple[float, ...]] = {}
    for one in ceilings:
        rates[one.kind, one.dtype] = rates.get((one.kind, one.dtype), ()) + one.per_second
    return tuple(Ceiling(kind=kind, dtype=dtype, per_second=each) for (kind, dtype), each in rates.items())


class Found:
    """What the file of one attempt holds; a last line that was torn is left out."""

    def __init__(self, path: Path):
        self.began, self.done = 0.0, False
        self.device: Device | None = None
        self.ceilings: tuple[Ceiling, ...] = ()
        self.variants: list[Variant] = []
        self.trials: list[Trial] = []
        self.requests: list[Request] = []
        self.faults: list[str] = []
        for line in path.read_bytes().split(b"\n")[:-1]:
            try:
                entry = json.loads(line)
                self._take(entry["kind"], entry["content"])
            except (ValueError, KeyError, TypeError) as error:
                raise CourseError(
                    f"{shown(path)} is damaged; remove {shown(path.parent)} and measure again."
                ) from error

    def _take(self, kind: str, content) -> None:
        if kind == "began":
            self.began = content
        elif kind == "done":
            self.done = True
        elif kind == "device":
            self.device = Device.model_validate_json(json.dumps(content))
        elif kind == "ceilings":
            self.ceilings = tuple(Ceiling.model_validate_json(json.dumps(one)) for one in content)
        elif kind == "variant":
            self.variants.append(Variant.model_validate_json(json.dumps(content)))
        elif kind in ("trial", "warm-up"):
            self.trials.append(Trial.model_validate_json(json.dumps(content)))
        elif kind == "requests":
            self.requests += [Request.model_validate_json(json.dumps(one)) for one in content]
        elif kind == "fault":
            self.faults.append(content)


class Unit(NamedTuple):
    """A process to run: which block of processes it is of, and which variants it holds.

    ``alone`` says that other variants have processes of their own in the same block; the trials of a block are compared
    with one another, so that all of them bear its number.
    """

    block: int
    names: tuple[str, ...]
    alone: bool

    @property
    def name(self) -> str:
        """Of its files."""
        own = "-" + "".join(letter if letter.isalnum() else "-" for letter in self.names[0]) if self.alone else ""
        return f"process-{self.block}{own}"


def _units(plan: Plan, source: Source, console: Console) -> list[Unit]:
    """Which variants each process holds: all of them, or one each where memory does not suffice for all.

    Raises:
        CourseError: it does not suffice for one.
    """
    parts, free = plan.parts(), int(HEADROOM * source.free_memory(plan))
    needed = {part.name: source.memory_needed(plan, part) for part in parts}
    largest = max(parts, key=lambda part: needed[part.name])
    if needed[largest.name] > free:
        raise CourseError(
            f"{largest.name} with {plan.model} needs {needed[largest.name]:,} bytes, and {free:,} can be planned for "
            f"on {resolved(plan.device)}. Take a smaller model, batch, prompt or dtype."
        )
    if sum(needed.values()) <= free:
        return [Unit(block, tuple(needed), alone=False) for block in range(plan.processes)]
    console.print(
        f"All {len(parts)} variants need {sum(needed.values()):,} bytes, and {free:,} can be planned for. Each has "
        "processes of its own.",
        soft_wrap=True,
    )
    shuffled = ((block, part) for block in range(plan.processes) for part in _shuffled(plan, parts, block))
    return [Unit(block, (part.name,), alone=True) for block, part in shuffled]


def _shuffled(plan: Plan, parts: list[Part], block: int) -> list[Part]:
    """The variants in the order of a block; in the first one references come first: the others need their answers."""
    drawn = random.Random(f"{plan.seed} block {block}").sample(parts, len(parts))
    return sorted(drawn, key=lambda part: part.name != part.reference) if block == 0 else drawn


def _run_unit(plan: Plan, folder: Path, unit: Unit, progress: Progress, bar: TaskID) -> None:
    """Run one process, unless an earlier run has."""
    earlier = [Found(path) for path in sorted(folder.glob(f"{unit.name}.attempt-*.jsonl"))]
    known = [trial for found in earlier for trial in found.trials if not trial.warm_up]
    served = {request.variant for found in earlier for request in found.requests}
    progress.update(bar, advance=len(known) + len(served), description=f"process {unit.block + 1} of {plan.processes}")
    if any(found.done for found in earlier):
        return
    attempt = len(list(folder.glob(f"{unit.name}.attempt-*.task")))
    task = Task(
        process=unit.block if unit.alone else unit.block + attempt * plan.processes,
        names=tuple(name for name in unit.names if name not in served),
        done=tuple((trial.round, trial.variant) for trial in known),
        first=unit.block == 0 and not _described(earlier, unit.names),
        ceilings=not unit.alone and not any(found.ceilings for found in earlier),
    )
    name = f"{unit.name}.attempt-{attempt}"
    write_atomic(folder / f"{name}.task", task.model_dump_json())
    with _worker(plan, folder, name) as process:
        for line in process.stdout:
            if line.rstrip() in (f"{SIGN}trial", f"{SIGN}requests"):
                progress.advance(bar)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """No other run of the same plan at the same time; a run that was killed holds nothing."""
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CourseError("Another run is measuring the same plan now.") from error
        yield


def _described(earlier: list[Found], names: tuple[str, ...]) -> bool:
    known = {variant.name for found in earlier for variant in found.variants}
    return any(found.device for found in earlier) and known.issuperset(names)


@contextmanager
def _worker(plan: Plan, folder: Path, name: str) -> Iterator[subprocess.Popen]:
    """A fresh process, ended with its group when the block is left early; it must have succeeded otherwise."""
    environment = os.environ | dict.fromkeys(THREADS, str(plan.threads))
    with (folder / f"{name}.log").open("w+", encoding="utf-8", errors="replace") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "course.measure.worker", str(folder), name],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        try:
            yield process
            process.wait()
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            process.stdout.close()
        if process.returncode != 0:
            log.seek(0)
            raise CourseError(_complaint(process.returncode, log.read()))


def _complaint(status: int, log: str) -> str:
    """Why a process ended, in a sentence: by a signal, or with its last words; of a traceback, the last line."""
    if status < 0:
        name = signal.Signals(-status).name
        why = ", as the system does when memory is out." if name == "SIGKILL" else "."
        return f"A measuring process was ended by {name}{why}"
    words = log.strip()
    if TRACEBACK in words:
        words = words.splitlines()[-1]
    return f"A measuring process ended with status {status}: {words[-LONGEST_COMPLAINT:] or 'it said nothing.'}"


def _read_all(folder: Path) -> list[Found]:
    """All attempts, in the order in which they began."""
    return sorted((Found(path) for path in folder.glob("*.jsonl")), key=lambda found: found.began)


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console)
