"""A record made from samples, kept as JSON beside its plot, and shown as a table."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from course.bench.machine import commit, load, this_machine
from course.bench.record import Estimate, Ratio, Record, Sample, Verdict, estimates
from course.bench.statistics import Interval
from course.bench.trials import Trial, in_rounds, run_trials
from course.errors import CourseError, shown

Findings = dict[str, Any]
Judge = Callable[[Sequence[Sample], Findings], tuple[Sequence[Ratio], Sequence[Verdict]]]
NAMES = {"bytes": "MiB", "per minute": "/min"}
WORDS = {True: "[green]bar met[/]", False: "[red]bar not met[/]", None: "[yellow]bar not judged[/]"}


def measure(
    benchmark: str,
    trials: Sequence[Trial],
    seed: int,
    settings: dict[str, Any],
    judge: Judge,
    console: Console,
    find: Callable[[], Findings],
) -> Record:
    """Run trials in random order and draw up the record.

    Args:
        benchmark: its name, as ``course bench`` takes it.
        trials: what to run.
        seed: of their order.
        settings: for the record.
        judge: from samples and findings to ratios and verdicts.
        console: where progress goes.
        find: what the benchmark does after its trials, and finds beside samples; where it fails, that is a fault.
    """
    started, clock, before = datetime.now(UTC), time.perf_counter(), load()
    order = in_rounds(trials, seed)
    samples, faults = run_trials(order, console)
    try:
        found = find()
    except CourseError as error:
        found = {}
        faults.append(f"after the trials: {error}")
    ratios, verdicts = judge(samples, found)
    return Record(
        benchmark=benchmark,
        started=started,
        seconds=time.perf_counter() - clock,
        commit=commit(),
        machine=this_machine(),
        load_before=before,
        load_after=load(),
        settings=settings | {"seed": seed},
        order=tuple(trial.name for trial in order),
        samples=tuple(samples),
        faults=tuple(faults),
        estimates=estimates(samples),
        ratios=tuple(ratios),
        verdicts=tuple(verdicts),
        findings=found,
    )


def show(record: Record, console: Console) -> None:
    """Print medians with intervals, ratios, faults and verdicts."""
    table = Table(title=f"course bench {record.benchmark}: {record.machine.cpu}, {record.machine.cores} cores")
    for column, side in (("Quantity", "left"), ("Variant", "left"), ("Median", "right"), ("95 %", "right")):
        table.add_column(column, justify=side)
    table.add_column("Trials", justify="right")
    for one in record.estimates:
        table.add_row(one.quantity, one.variant, _value(one), _interval(one), str(one.trials))
    console.print(table)
    for one in record.ratios:
        console.print(f"{one.quantity}, {one.numerator} / {one.denominator}: {_ratio(one)}", soft_wrap=True)
    for fault in record.faults:
        console.print(f"[red]failed[/] {escape(fault)}", soft_wrap=True)
    for verdict in record.verdicts:
        console.print(f"{WORDS[verdict.met]} {verdict.bar}; {verdict.found}.", soft_wrap=True)
    loads = [f"{record.load_before[0]:.1f}", f"{record.load_after[0]:.1f}"]
    console.print(f"Load before and after: {', '.join(loads)}. {record.seconds / 60:.1f} minutes.", highlight=False)


def keep(record: Record, figure, folder: Path, console: Console) -> None:
    """Write the record as JSON and its figure as SVG and PNG into a folder, and say where they are."""
    record.write(folder / f"{record.benchmark}.json")
    for suffix in ("svg", "png"):
        figure.savefig(folder / f"{record.benchmark}.{suffix}", dpi=150, facecolor="white")
    console.print(f"Record and plot: {shown(folder / record.benchmark)}.json, .svg, .png", soft_wrap=True)


def _value(one: Estimate) -> str:
    return f"{_number(one.median, one.unit)} {NAMES.get(one.unit, one.unit)}"


def _interval(one: Estimate) -> str:
    return f"{_number(one.interval.low, one.unit)} to {_number(one.interval.high, one.unit)}" if one.interval else ""


def _number(value: float, unit: str) -> str:
    return f"{value / 2**20:.0f}" if unit == "bytes" else f"{value:.3g}"


def _ratio(one: Ratio) -> str:
    if one.value is None:
        return f"no ratio, because {one.refused}"
    return f"{one.value:.3g} ({_ends(one.interval)})"


def _ends(interval: Interval) -> str:
    return f"{interval.low:.3g} to {interval.high:.3g}"
