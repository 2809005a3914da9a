"""``course bench site``: joins ``course bench`` by an entry point."""

import tempfile
from functools import partial
from pathlib import Path

import click
from rich.console import Console

from course.bench.options import OUTPUT, QUICK
from course.kit import build_dir, root

ROUNDS, QUICK_ROUNDS = 6, 1


@click.command()
@OUTPUT
@QUICK
@click.option("--rounds", type=click.IntRange(min=1), help="Builds of each kind; fewer than six judge nothing.")
def site(output: Path | None, quick: bool, rounds: int | None = None):
    """Measure the site: build times with and without changes, and what a first visit to a page transfers."""
    from course.bench.report import keep, measure, show
    from course.bench.trials import Trial
    from course.site.build_times import build_three_times, draw, judge, show_weights, weights

    console = Console()
    rounds = rounds or (QUICK_ROUNDS if quick else ROUNDS)
    with tempfile.TemporaryDirectory(prefix="course-bench-") as folder:
        trials = [Trial("three builds", rounds, partial(build_three_times, root(), Path(folder)))]
        record = measure("site", trials, 0, {"rounds": rounds}, judge, console, partial(weights, console))
    show(record, console)
    show_weights(record.findings, console)
    keep(record, draw(record), output or build_dir() / "bench", console)
    raise SystemExit(0 if record.passed else 1)
