"""What a runner costs: one and the same run on each, in one process after the other, in random order (Lecture 8).

The runs include what a runner starts (threads, processes, servers), because a user waits for that, too; Beam itself is
imported before. All of them have to write the same bytes, or there is nothing to compare.
"""

import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from course.bench.record import Ratio, Record, Sample, Verdict, ratio, values
from course.bench.trials import Trial
from course.pipelines.made_up import write_raw
from course.pipelines.pipeline import PLAIN, run
from course.plotting import BLUE, ORANGE, panels

RUN = "a run"
VARIANTS = ((PLAIN, 1), ("direct", 1), ("direct", 2), ("multi-process", 1), ("multi-process", 2), ("portable", 1))


def name_of(runner: str, workers: int) -> str:
    """A variant's name, for example "direct, 2 workers"."""
    return runner if runner == PLAIN else f"{runner}, {workers} worker{'s' * (workers > 1)}"


def trials_of(calls: int, rounds: int, folder: Path, digests: dict[str, set[str]]) -> list[Trial]:
    """A trial for each variant.

    Args:
        calls: how many made-up calls are read, defects not counted.
        rounds: how often each variant runs.
        folder: an empty one for input and output.
        digests: is filled with the SHA-256 of the shards that each variant wrote.
    """
    import apache_beam  # noqa: F401 - what is measured is not how long it takes to import

    lines = len(write_raw(folder / "raw", calls).lines)
    measured = partial(seconds_of_run, folder, lines, digests)
    return [Trial(name_of(*variant), rounds, partial(measured, *variant)) for variant in VARIANTS]


def seconds_of_run(
    folder: Path, lines: int, digests: dict[str, set[str]], runner: str, workers: int
) -> Sequence[Sample]:
    """One run into a fresh folder."""
    name = name_of(runner, workers)
    with tempfile.TemporaryDirectory(dir=folder) as output:
        start = time.perf_counter()
        manifest = run([f"{folder}/raw/*.jsonl"], output, runner=runner, workers=workers).manifest
        seconds = time.perf_counter() - start
    digests.setdefault(name, set()).add(" ".join(shard.sha256 for shard in manifest.shards))
    return [Sample(trial=0, quantity=RUN, variant=name, unit="s", value=seconds, size=lines)]


def judge(samples: Sequence[Sample], found: dict) -> tuple[list[Ratio], list[Verdict]]:
    """How many times as long as the loop each runner takes, and whether all of them wrote the same."""
    measured = {sample.variant for sample in samples}
    names = [name_of(*variant) for variant in VARIANTS]
    ratios = [ratio(samples, RUN, name, PLAIN) for name in names if {name, PLAIN} <= measured and name != PLAIN]
    wrote = {digest for digests in found["digests"].values() for digest in digests}
    same = f"{len(wrote)} different data sets from {len(measured)} ways to run"
    return ratios, [Verdict(bar="the same bytes on every runner", met=len(wrote) == 1, found=same)]


def records_per_second(record: Record) -> dict[str, float]:
    """Lines in a second by variant, of the median run."""
    lines = {sample.variant: sample.size for sample in record.samples}
    return {one.variant: lines[one.variant] / one.median for one in record.estimates}


def draw(record: Record) -> Figure:
    """Lines in a second by variant, a dot for each run."""
    ax = panels()
    names = [name_of(*variant) for variant in VARIANTS]
    lines = {sample.variant: sample.size for sample in record.samples}
    for row, name in enumerate(names):
        rates = [lines[name] / seconds for seconds in values(record.samples, RUN, name)]
        ax.barh(row, np.median(rates) if rates else 0, color=BLUE, height=0.6, alpha=0.7)
        ax.plot(rates, [row] * len(rates), linestyle="none", marker="o", markersize=3, color=ORANGE)
    ax.set_yticks(range(len(names)), names)
    ax.invert_yaxis()
    ax.set(title="The same run on every runner", xlabel="lines in a second", xlim=(0, None))
    return ax.figure
