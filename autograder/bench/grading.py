"""What ``course bench grading`` measures, trial by trial.

Whole commands are timed, from the start of the program to its end, as a person waits for them; nothing is left out on
either side. A trial counts only if every submission came out with the points that the lab says it deserves.
"""

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, PositiveInt

from autograder.bench.classes import HALVES, Bench
from course.bench.record import Bar, Ratio, Sample, Verdict, ratio, values
from course.bench.statistics import Growth, growth, median_interval
from course.bench.trials import Command, Trial, peak_of, seconds_of

THROUGHPUT, MEMORY, LATENCY, CLASS, AGAIN = (
    "submissions per minute",
    "peak memory",
    "submit to verdict",
    "whole class",
    "second run",
)
OURS, STOCK, STOCK_TWICE = "course grade, 2 workers", "nbgrader autograde", "nbgrader autograde, 2 processes"
WARM, COLD, STOCK_COLD = "warm grader", "course grade FILE", "nbgrader autograde --student"
FASTER = Bar("submissions per minute, ours / stock nbgrader", 10.0, "at least")
SOON = Bar("seconds from submit to verdict, warm", 1.5, "below")
LINEAR = Bar("exponent of time over class size", 1.15, "below")


class Settings(BaseModel):
    """How much is measured."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rounds: PositiveInt = 6
    submissions: PositiveInt = 56
    memory_submissions: PositiveInt = 14
    verdicts: PositiveInt = 10
    sizes: tuple[PositiveInt, ...] = (10, 30, 100, 300, 1000)
    growth_rounds: PositiveInt = 3
    seed: int = 1


QUICK = {
    "rounds": 1,
    "submissions": 2,
    "memory_submissions": 2,
    "verdicts": 2,
    "sizes": (2, 4),
    "growth_rounds": 1,
}


def settings_of(quick: bool, largest: int | None = None, **chosen: int) -> Settings:
    """The settings for a command line: the defaults or the quick ones, and what was chosen in their place."""
    settings = Settings(**(QUICK if quick else {}) | chosen)
    sizes = tuple(size for size in settings.sizes if largest is None or size <= largest)
    return settings.model_copy(update={"sizes": sizes})


def trials(bench: Bench, settings: Settings) -> list[Trial]:
    """Everything to measure. ``bench`` is prepared."""
    throughput = [
        Trial(kind, settings.rounds, partial(_throughput, bench, kind, settings.submissions)) for kind in COMMANDS
    ]
    memory = [
        Trial(f"memory of {kind}", settings.rounds, partial(_memory, bench, kind, settings.memory_submissions))
        for kind in (OURS, STOCK)
    ]
    latency = [
        Trial(WARM, settings.rounds, partial(_warm, bench, settings)),
        Trial(COLD, settings.rounds, partial(_cold, bench)),
        Trial(STOCK_COLD, settings.rounds, partial(_stock_cold, bench)),
    ]
    sizes = [
        Trial(f"class of {size}", settings.growth_rounds, partial(_class_of, bench, size)) for size in settings.sizes
    ]
    return [*throughput, *memory, *latency, *sizes]


def ratios(samples: Sequence[Sample]) -> list[Ratio]:
    """Ours against stock, in each quantity that both have."""
    pairs = [
        (THROUGHPUT, OURS, STOCK),
        (THROUGHPUT, OURS, STOCK_TWICE),
        (LATENCY, STOCK_COLD, COLD),
        (LATENCY, STOCK_COLD, WARM),
        (MEMORY, OURS, STOCK),
    ]
    return [ratio(samples, *pair) for pair in pairs]


def grown(samples: Iterable[Sample]) -> Growth | None:
    """How the time of a whole class grows with its size."""
    found = [sample for sample in samples if sample.quantity == CLASS]
    return growth([sample.size for sample in found], [sample.value for sample in found])


def judge(samples: Sequence[Sample], found: dict[str, Any]) -> tuple[list[Ratio], list[Verdict]]:
    """The ratios, and whether the bars were met.

    Args:
        samples: of all trials.
        found: under ``recovery`` what :func:`autograder.bench.recovery.recovery` found, if it was asked for.
    """
    curve = grown(samples)
    verdicts = [
        FASTER.judge(ratio(samples, THROUGHPUT, OURS, STOCK).interval),
        SOON.judge(median_interval(values(samples, LATENCY, WARM))),
        _judge_growth(curve),
    ]
    if "recovery" in found:
        stops, disagreements = sum(found["recovery"]["kills"].values()), found["recovery"]["disagreements"]
        bar = f"disagreements with an undisturbed run after {stops} stops: none"
        verdicts.append(Verdict(bar=bar, met=not disagreements, found=f"there were {len(disagreements)}"))
    return ratios(samples), verdicts


def _judge_growth(curve: Growth | None) -> Verdict:
    """The verdict on the exponent, with the curve that it belongs to."""
    verdict = LINEAR.judge(curve.interval if curve else None)
    if curve is None:
        return verdict
    formula = f"{curve.fixed:.1f} s + {1000 * curve.each:.1f} ms · n^{curve.exponent:.2f}"
    return verdict.model_copy(update={"found": f"{verdict.found}: {formula}"})


def _ours(bench: Bench, root: Path) -> list[Command]:
    return [bench.course(root, "grade", "--class", ".", "--jobs", "2")]


def _stock(bench: Bench, root: Path) -> list[Command]:
    return [bench.nbgrader(root, "autograde", bench.lab.id)]


def _stock_twice(bench: Bench, root: Path) -> list[Command]:
    """Two processes, each with half of the class."""
    return [bench.nbgrader(root, "autograde", bench.lab.id, "--student", f"{half}*") for half in HALVES]


COMMANDS: Mapping[str, Callable[[Bench, Path], list[Command]]] = {
    OURS: _ours,
    STOCK: _stock,
    STOCK_TWICE: _stock_twice,
}


def _throughput(bench: Bench, kind: str, size: int) -> list[Sample]:
    with bench.new_class(_side(kind), size) as root:
        seconds = seconds_of(COMMANDS[kind](bench, root))
        bench.require_right_scores(root)
    return [_sample(THROUGHPUT, kind, "per minute", 60 * size / seconds, size)]


def _memory(bench: Bench, kind: str, size: int) -> list[Sample]:
    """A trial of its own, because to look at memory takes time."""
    with bench.new_class(_side(kind), size) as root:
        peak = peak_of(COMMANDS[kind](bench, root))
        bench.require_right_scores(root)
    samples = [_sample(f"{MEMORY}, shared counted twice", kind, "bytes", peak.resident)]
    return samples + ([_sample(MEMORY, kind, "bytes", peak.proportional)] if peak.proportional else [])


def _warm(bench: Bench, settings: Settings) -> list[Sample]:
    """Reference solutions one at a time through one grader; the first warms it up."""
    with bench.references(settings.verdicts + 1) as files:
        out = files[0].with_name("seconds.json")
        command = (sys.executable, "-m", "autograder.bench.warm", str(out), *map(str, files))
        seconds_of([Command(command, out.parent, bench.environment)])
        seconds = json.loads(out.read_text())
    return [_sample(LATENCY, WARM, "s", value, warm_up=place == 0) for place, value in enumerate(seconds)]


def _cold(bench: Bench) -> list[Sample]:
    with bench.references(1) as (file,):
        seconds = seconds_of([bench.course(file.parent, "grade", file.name, "--lab", bench.lab.id)])
    return [_sample(LATENCY, COLD, "s", seconds)]


def _stock_cold(bench: Bench) -> list[Sample]:
    with bench.new_class("stock", 1) as root:
        (student,) = (folder.name for folder in (root / "submitted").iterdir())
        seconds = seconds_of([bench.nbgrader(root, "autograde", bench.lab.id, "--student", student)])
        bench.require_right_scores(root)
    return [_sample(LATENCY, STOCK_COLD, "s", seconds)]


def _class_of(bench: Bench, size: int) -> list[Sample]:
    """A class from its submissions to gradebook and pages; then the same command again, which finds all of it done."""
    with bench.new_class("ours", size) as root:
        command = _ours(bench, root)
        first, second = seconds_of(command), seconds_of(command)
        bench.require_right_scores(root)
    return [_sample(quantity, str(size), "s", seconds, size) for quantity, seconds in ((CLASS, first), (AGAIN, second))]


def _side(kind: str) -> str:
    return "ours" if kind == OURS else "stock"


def _sample(
    quantity: str, variant: str, unit: str, value: float, size: int | None = None, warm_up: bool = False
) -> Sample:
    return Sample(trial=0, quantity=quantity, variant=variant, unit=unit, value=value, size=size, warm_up=warm_up)
