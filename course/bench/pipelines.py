"""``course bench pipelines``: joins ``course bench`` by an entry point."""

import tempfile
from pathlib import Path

import click
from rich.console import Console

from course.bench.options import OUTPUT, QUICK
from course.kit import build_dir

ROUNDS, QUICK_ROUNDS = 6, 1
CALLS, QUICK_CALLS = 800, 40


@click.command()
@OUTPUT
@QUICK
@click.option("--rounds", type=click.IntRange(min=1), help="Runs of each variant; fewer than six judge nothing.")
@click.option("--calls", type=click.IntRange(min=1), help="Made-up calls to read.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the order.")
def pipelines(output: Path | None, quick: bool, rounds: int | None = None, calls: int | None = None, seed: int = 0):
    """Measure the data pipeline: records a second by runner and workers, and whether all of them write the same."""
    from course.bench.report import keep, measure, show
    from course.pipelines.throughput import draw, judge, records_per_second, trials_of

    console = Console()
    rounds, calls = rounds or (QUICK_ROUNDS if quick else ROUNDS), calls or (QUICK_CALLS if quick else CALLS)
    digests: dict[str, set[str]] = {}
    with tempfile.TemporaryDirectory(prefix="course-bench-") as folder:
        record = measure(
            "pipelines",
            trials_of(calls, rounds, Path(folder), digests),
            seed,
            {"rounds": rounds, "calls": calls},
            judge,
            console,
            lambda: {"digests": {name: sorted(found) for name, found in digests.items()}},
        )
    show(record, console)
    for name, rate in records_per_second(record).items():
        console.print(f"{name}: {rate:.0f} lines a second", highlight=False)
    keep(record, draw(record), output or build_dir() / "bench", console)
    raise SystemExit(0 if record.passed else 1)
