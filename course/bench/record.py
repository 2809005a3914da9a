"""The record of a benchmark: every raw sample, the order of trials, the machine, and what follows from the samples.

Estimates and ratios are stored for whoever reads the file. They are computed again when a record is read, and a record
whose conclusions do not follow from its samples is refused.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from course.bench.machine import Machine
from course.bench.statistics import FEWEST, Interval, median_interval, ratio_interval
from course.storage import write_atomic

Unit = Literal["s", "bytes", "per minute"]


class Strict(BaseModel):
    """A part of a record: fixed fields, never changed after it is made."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Sample(Strict):
    """One measurement. ``trial`` is the place of its trial in the run's order; ``size`` how many items it was about."""

    trial: int = Field(ge=0)
    quantity: str
    variant: str
    unit: Unit
    value: float = Field(gt=0, allow_inf_nan=False)
    size: int | None = None
    warm_up: bool = False


class Estimate(Strict):
    """The median of a variant over its trials; where a trial has several samples, its own median counts once."""

    quantity: str
    variant: str
    unit: Unit
    median: float
    interval: Interval | None
    trials: int


class Ratio(Strict):
    """The ratio of two medians, or the reason why none is given."""

    quantity: str
    numerator: str
    denominator: str
    value: float | None
    interval: Interval | None
    refused: str | None = None


class Verdict(Strict):
    """Whether a bar was met; None where the samples are too few to judge."""

    bar: str
    met: bool | None
    found: str


class Record(Strict):
    """All of one run of a benchmark."""

    schema_version: Literal[1] = 1
    benchmark: str
    started: datetime
    seconds: float
    commit: str
    machine: Machine
    load_before: tuple[float, float, float]
    load_after: tuple[float, float, float]
    settings: dict[str, Any]
    order: tuple[str, ...] = Field(description="name of each trial, in the order in which they ran")
    samples: tuple[Sample, ...]
    faults: tuple[str, ...] = Field((), description="trials that gave no sample, and why")
    estimates: tuple[Estimate, ...] = ()
    ratios: tuple[Ratio, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    findings: dict[str, Any] = Field({}, description="what the benchmark found beside times and sizes")

    @model_validator(mode="after")
    def _follows_from_its_samples(self) -> "Record":
        if any(sample.trial >= len(self.order) for sample in self.samples):
            raise ValueError("A sample names a trial that the order does not have.")
        for one in self.estimates:
            if one != estimate(self.samples, one.quantity, one.variant):
                raise ValueError(f"The estimate of {one.quantity}, {one.variant}, does not follow from the samples.")
        for one in self.ratios:
            if one != ratio(self.samples, one.quantity, one.numerator, one.denominator):
                raise ValueError(f"The ratio of {one.quantity} does not follow from the samples.")
        return self

    @property
    def passed(self) -> bool:
        """Whether no bar was missed and no trial failed."""
        return not self.faults and all(verdict.met is not False for verdict in self.verdicts)

    def write(self, path: Path) -> None:
        """Store the record so that a reader finds all of it or nothing."""
        write_atomic(path, self.model_dump_json(indent=1) + "\n")

    @classmethod
    def read(cls, path: Path) -> "Record":
        """The record stored at ``path``; ValueError if it is not one."""
        return cls.model_validate_json(Path(path).read_bytes())


@dataclass(frozen=True)
class Bar:
    """What a benchmark has to reach: the whole interval has to lie on the right side of the limit."""

    name: str
    limit: float
    side: Literal["at least", "below"]

    def judge(self, interval: Interval | None) -> Verdict:
        """The verdict for the interval of what was measured."""
        bar = f"{self.name}: {self.side} {self.limit:g}"
        if interval is None:
            return Verdict(bar=bar, met=None, found="too few trials for an interval")
        met = interval.low >= self.limit if self.side == "at least" else interval.high < self.limit
        return Verdict(bar=bar, met=met, found=f"measured {interval.low:.3g} to {interval.high:.3g}")


def values(samples: Iterable[Sample], quantity: str, variant: str) -> list[float]:
    """One value for each trial of a variant: the median of the trial's samples, without its warm-ups."""
    by_trial: dict[int, list[float]] = {}
    for sample in samples:
        if (sample.quantity, sample.variant, sample.warm_up) == (quantity, variant, False):
            by_trial.setdefault(sample.trial, []).append(sample.value)
    return [median(of_trial) for of_trial in by_trial.values()]


def estimate(samples: Iterable[Sample], quantity: str, variant: str) -> Estimate:
    """The median of a variant with its interval.

    Raises:
        ValueError: there is no such sample.
    """
    samples = tuple(samples)
    found = values(samples, quantity, variant)
    if not found:
        raise ValueError(f"There is no sample of {quantity}, {variant}.")
    unit = next(one.unit for one in samples if (one.quantity, one.variant) == (quantity, variant))
    return Estimate(
        quantity=quantity,
        variant=variant,
        unit=unit,
        median=median(found),
        interval=median_interval(found),
        trials=len(found),
    )


def estimates(samples: Iterable[Sample]) -> tuple[Estimate, ...]:
    """An estimate for every quantity and variant that was measured, in the order of their names."""
    samples = tuple(samples)
    measured = sorted({(one.quantity, one.variant) for one in samples if not one.warm_up}, key=_natural(samples))
    return tuple(estimate(samples, *one) for one in measured)


def _natural(samples: tuple[Sample, ...]):
    """Sorts variants by quantity, then by size where they have one, then by name."""
    sizes = {(one.quantity, one.variant): one.size or 0 for one in samples}
    return lambda one: (one[0], sizes[one], one[1])


def ratio(samples: Iterable[Sample], quantity: str, numerator: str, denominator: str) -> Ratio:
    """The ratio of two variants' medians; refused where there are too few trials, or the interval contains 1."""
    samples = tuple(samples)
    above, below = values(samples, quantity, numerator), values(samples, quantity, denominator)
    interval, refused = ratio_interval(above, below), None
    if interval is None:
        refused = f"{min(len(above), len(below))} trials of a variant are too few; {FEWEST} give an interval"
    elif interval.contains(1.0):
        refused = f"the interval from {interval.low:.3g} to {interval.high:.3g} contains 1: no difference was shown"
    value = None if refused else median(above) / median(below)
    return Ratio(
        quantity=quantity, numerator=numerator, denominator=denominator, value=value, interval=interval, refused=refused
    )
