"""``course bench services``: what batching gains at the same load, what overload does, and whether memory stays flat.

Both variants are the same service, in a process of its own for each trial, under the same callers: one decodes each
answer alone, the other up to sixteen side by side.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

import click
import numpy as np
import scipy.stats
from pydantic import BaseModel, ConfigDict, NonNegativeFloat, PositiveInt
from rich.console import Console

from course.bench.options import OUTPUT, QUICK
from course.bench.record import Bar, Ratio, Record, Sample, Verdict, ratio, values
from course.bench.statistics import Interval, ratio_interval
from course.bench.trials import Trial
from course.kit import build_dir
from course.measure.statistics import percentile
from services.inference.load import Outcome, burst, closed_loop, served, soak

THROUGHPUT, LATENCY = "answers per minute", "seconds to an answer"
ALONE, TOGETHER = "one at a time", "batched"
LEVEL = 0.99
MIB = 2**20
GAIN = Bar("answers per minute, batched / one at a time, same callers", 3.0, "at least")
FLAT = Bar("growth of memory in ten minutes of load, MiB", 16.0, "below")
FEWEST_LOOKS, SHORTEST_SOAK = 30, 120.0  # looks, and seconds, that a growth in ten minutes can be told from
OVERLOAD, SOAK = "overload", "soak"


class Settings(BaseModel):
    """How much is measured. 170 requests in each of six rounds carry a 99th percentile."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    engine: Literal["real", "fake"] = "real"
    rounds: PositiveInt = 6
    requests: PositiveInt = 170
    callers: PositiveInt = 16
    tokens: PositiveInt = 32
    batch: PositiveInt = 16
    crowd: PositiveInt = 200
    soak_seconds: NonNegativeFloat = 600.0
    seed: int = 1


SMALL = {"engine": "fake", "rounds": 1, "requests": 12, "callers": 4, "tokens": 4, "crowd": 60, "soak_seconds": 3.0}


@click.command()
@OUTPUT
@QUICK
@click.option("--engine", type=click.Choice(["real", "fake"]), help="fake measures the service without any model.")
@click.option("--rounds", type=click.IntRange(min=1), help="Trials of each variant; fewer than six judge nothing.")
@click.option("--requests", type=click.IntRange(min=1), help="Of each trial.")
@click.option("--soak-seconds", type=click.FloatRange(min=0), help="600 if not given; 0 leaves it out.")
@click.option("--seed", type=int, help="Of the order of the trials.")
def services(output: Path | None, quick: bool, **chosen):
    """Measure the inference service: batching against none, overload, and ten minutes of mixed load."""
    from course.bench.report import keep, measure, show

    console = Console()
    given = {name: value for name, value in chosen.items() if value is not None}
    settings = Settings(**((SMALL if quick else {}) | given))
    plan = [
        Trial(name, settings.rounds, partial(trial, settings, name, batch))
        for name, batch in ((ALONE, 1), (TOGETHER, settings.batch))
    ]
    record = measure(
        "services",
        plan,
        settings.seed,
        settings.model_dump(mode="json"),
        judge,
        console,
        partial(find, settings, console),
    )
    show(record, console)
    keep(record, draw(record), output or build_dir() / "bench", console)
    raise SystemExit(0 if record.passed else 1)


def trial(settings: Settings, name: str, batch: int) -> list[Sample]:
    """One service, one load: its throughput, and the time of each answer.

    Raises:
        CourseError: the service did not start, or a request failed.
    """
    from course.errors import CourseError

    with served(settings.engine, max_batch=batch, fake_seconds=0.01, max_queue=settings.callers) as (address, _):
        closed_loop(address, min(settings.callers, 4), min(settings.callers, 4), settings.tokens)  # warm up
        outcome = closed_loop(address, settings.callers, settings.requests, settings.tokens)
    if outcome.statuses != {200: settings.requests}:
        raise CourseError(f"{settings.requests} answers were expected; by status came {dict(outcome.statuses)}.")
    per_minute = 60 * settings.requests / outcome.elapsed
    throughput = Sample(trial=0, quantity=THROUGHPUT, variant=name, unit="per minute", value=per_minute)
    return [
        throughput,
        *(Sample(trial=0, quantity=LATENCY, variant=name, unit="s", value=one) for one in outcome.seconds),
    ]


def find(settings: Settings, console: Console) -> dict[str, Any]:
    """What happens in overload, and to memory."""
    found = {}
    with console.status(f"{settings.crowd} callers at once"), _small(settings) as (address, _):
        found[OVERLOAD] = _told(burst(address, settings.crowd, settings.tokens))
    if settings.soak_seconds:
        with console.status(f"Mixed load for {settings.soak_seconds:g} s"), _small(settings) as (address, process):
            outcome, looks = soak(address, process, settings.soak_seconds, settings.callers, settings.tokens)
        found[SOAK] = _told(outcome) | {"looks": looks, "growth_mib": growth(looks)}
    return found


def _small(settings: Settings):
    """A service whose line is short, so that overload is soon there."""
    return served(settings.engine, max_batch=settings.batch, max_queue=2 * settings.batch, fake_seconds=0.01)


def _told(outcome: Outcome) -> dict[str, Any]:
    statuses = {str(status): count for status, count in sorted(outcome.statuses.items())}
    return {"statuses": statuses, "failed": outcome.failed, "seconds": outcome.elapsed}


def growth(looks: Sequence[tuple[float, int]]) -> tuple[float, float] | None:
    """How much memory grows in ten minutes, MiB, as a 95 % interval; the first third of the looks is warming up.

    The slope is Theil and Sen's, which a few jumps do not move. None where the looks are too few, or of too short a
    time to say anything of ten minutes.
    """
    kept = looks[len(looks) // 3 :]
    if len(kept) < FEWEST_LOOKS or kept[-1][0] - kept[0][0] < SHORTEST_SOAK:
        return None
    times, held = np.array(kept).T
    slope = scipy.stats.theilslopes(held / MIB, times / 600.0, alpha=0.95)
    return float(slope.low_slope), float(slope.high_slope)


def judge(samples: Sequence[Sample], found: dict[str, Any]) -> tuple[list[Ratio], list[Verdict]]:
    """Ratios of throughput and latency; whether each bar is met."""
    gain = ratio_interval(values(samples, THROUGHPUT, TOGETHER), values(samples, THROUGHPUT, ALONE))
    verdicts = [GAIN.judge(gain), slowest_is_no_slower(samples)]
    if OVERLOAD in found:
        verdicts.append(nobody_failed(OVERLOAD, found[OVERLOAD]))
    if SOAK in found:
        ends = found[SOAK]["growth_mib"]
        verdicts += [nobody_failed(SOAK, found[SOAK]), FLAT.judge(Interval(*ends) if ends else None)]
    measured = {one.variant for one in samples}
    both = measured >= {ALONE, TOGETHER}
    return [ratio(samples, one, TOGETHER, ALONE) for one in (THROUGHPUT, LATENCY)] if both else [], verdicts


def slowest_is_no_slower(samples: Sequence[Sample]) -> Verdict:
    """Whether the 99th percentile of latency is no higher with batching, by intervals."""
    bar = "99th percentile of seconds to an answer: batched no higher"
    one, other = (
        percentile([sample.value for sample in samples if (sample.quantity, sample.variant) == (LATENCY, name)], LEVEL)
        for name in (TOGETHER, ALONE)
    )
    if one.interval is None or other.interval is None:
        return Verdict(bar=bar, met=None, found=(one.refused or other.refused).rstrip("."))
    met = one.interval.high <= other.interval.low
    return Verdict(bar=bar, met=met, found=f"{one.value:.3g} s batched, {other.value:.3g} s one at a time")


def nobody_failed(where: str, told: dict[str, Any]) -> Verdict:
    """Whether each request was answered or refused politely."""
    by_status = ", ".join(f"{count} with {status}" for status, count in told["statuses"].items())
    return Verdict(bar=f"requests that fail in {where}: none", met=told["failed"] == 0, found=by_status)


def draw(record: Record):
    """Throughput by variant, a dot for each trial; and memory over time."""
    from course.plotting import BLUE, ORANGE, panels

    axes = panels(2, height=5.0)
    for row, variant in enumerate((ALONE, TOGETHER)):
        found = values(record.samples, THROUGHPUT, variant)
        axes[0].barh(row, np.median(found) if found else 0, color=BLUE, height=0.6, alpha=0.7)
        axes[0].plot(found, [row] * len(found), linestyle="none", marker="o", markersize=3, color=ORANGE)
    axes[0].set_yticks(range(2), (ALONE, TOGETHER))
    axes[0].set(title="Answers per minute", xlabel="1/min", xlim=(0, None))
    looks = record.findings.get(SOAK, {}).get("looks", [])
    axes[1].plot([at for at, _ in looks], [held / MIB for _, held in looks], color=BLUE)
    axes[1].set(title="Memory of the service under mixed load", xlabel="s", ylabel="MiB", ylim=(0, None))
    return axes[0].figure
