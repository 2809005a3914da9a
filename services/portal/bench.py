"""``course bench ingest``: log entries a second into the portal's database, and what random kills do to it: nothing."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from course.bench.options import OUTPUT, QUICK
from course.bench.record import Bar, Ratio, Record, Sample, Verdict, ratio, values
from course.bench.statistics import median_interval
from course.bench.trials import Trial
from course.kit import build_dir

FIRST, AGAIN = "entries per minute", "entries per minute, ingested again"
LOOP, BEAM = "loop", "Beam"
ROUNDS, QUICK_ROUNDS = 6, 1
ENTRIES, QUICK_ENTRIES = 50_000, 1_000
KILLS, QUICK_KILLS = 100, 3
TURNS = 10
ENOUGH = 5_000  # entries a second
BARS = {name: Bar(f"{FIRST}, {name}", 60.0 * ENOUGH, "at least") for name in (LOOP, BEAM)}
KIT = Path(__file__).parents[2]
# A new database for each trial, in a process of its own; what is imported is imported before the clock starts.
CHILD = """
import json, sys, time
from pathlib import Path
from services.portal.command import prepare
from services.portal.ingestion import ingest, ingest_in_a_loop
prepare()
log, letters = sys.argv[2], Path(sys.argv[3])
run = ingest_in_a_loop if sys.argv[1] == "loop" else ingest
if run is ingest:
    import apache_beam.runners.portability.fn_api_runner
told = []
for _ in range(2):
    begun = time.perf_counter()
    counts = run([log], letters)
    told.append(time.perf_counter() - begun)
from services.portal.models import Turn
print(json.dumps([told, counts.entries, counts.dead, Turn.objects.count()]))
"""


@click.command()
@OUTPUT
@QUICK
@click.option("--rounds", type=click.IntRange(min=1), help="Trials of each variant; fewer than six judge nothing.")
@click.option("--entries", type=click.IntRange(min=100), help="Log entries of each trial.")
@click.option("--kills", type=click.IntRange(min=1), help="Ingestions that are killed.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the order, the entries and the kills.")
def ingest(output: Path | None, quick: bool, seed: int, **chosen):
    """Measure the portal's ingestion of cloud logs, and kill it at random moments."""
    from course.bench.report import keep, measure, show

    console = Console()
    usual = (QUICK_ROUNDS, QUICK_ENTRIES, QUICK_KILLS) if quick else (ROUNDS, ENTRIES, KILLS)
    found = dict(zip(("rounds", "entries", "kills"), usual, strict=True))
    found |= {name: value for name, value in chosen.items() if value is not None}
    plan = [Trial(name, found["rounds"], partial(trial, name, found["entries"], seed)) for name in (LOOP, BEAM)]
    record = measure("ingest", plan, seed, found, judge, console, partial(find, found["kills"], seed, console))
    show(record, console)
    console.print(record.findings.get("drill", ""), highlight=False)
    keep(record, draw(record), output or build_dir() / "bench", console)
    raise SystemExit(0 if record.passed else 1)


def trial(name: str, n_entries: int, seed: int) -> list[Sample]:
    """One ingestion into an empty database, and the same again.

    Raises:
        CourseError: it failed, or the database does not hold what the log has.
    """
    from course.errors import CourseError
    from services.portal.made_up import entries, lines

    made = lines(list(entries(max(n_entries // TURNS, 1), TURNS, seed)))
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as folder:
        log = Path(folder) / "calls.jsonl"
        log.write_bytes(b"\n".join(made) + b"\n")
        kept = {
            key: value for key, value in os.environ.items() if not key.startswith("PORTAL_") and key != "DATABASE_URL"
        }
        done = subprocess.run(
            [sys.executable, "-c", CHILD, name, str(log), f"{folder}/dead-letters"],
            cwd=KIT,
            env=kept | {"PORTAL_DATA": folder},
            capture_output=True,
            text=True,
        )
    if done.returncode:
        raise CourseError(f"The ingestion failed: {done.stderr.strip()[-500:]}")
    seconds, n_read, n_dead, n_kept = json.loads(done.stdout)
    if (n_read, n_dead, n_kept) != (len(made), 0, len(made)):
        raise CourseError(f"{len(made)} turns were expected; {n_read} were read, {n_dead} dead, {n_kept} kept.")
    return [
        Sample(trial=0, quantity=quantity, variant=name, unit="per minute", value=60 * len(made) / one, size=len(made))
        for quantity, one in zip((FIRST, AGAIN), seconds, strict=True)
    ]


def find(kills: int, seed: int, console: Console) -> dict[str, Any]:
    """What the drill says."""
    from services.portal.drill import run

    with console.status(f"{kills} kills"):
        return {"drill": run(kills, 20_000, seed)}


def judge(samples: Sequence[Sample], found: dict[str, Any]) -> tuple[list[Ratio], list[Verdict]]:
    """Whether entries are taken in as fast as they have to be, what Beam costs, and whether kills had an effect."""
    verdicts = [bar.judge(median_interval(values(samples, FIRST, name))) for name, bar in BARS.items()]
    said = found.get("drill", "")
    verdicts.append(Verdict(bar="kills without an effect: all", met=bool(said) or None, found=said.rstrip(".")))
    both = {one.variant for one in samples} >= {LOOP, BEAM}
    return [ratio(samples, quantity, BEAM, LOOP) for quantity in (FIRST, AGAIN)] if both else [], verdicts


def draw(record: Record):
    """Entries a second by variant, a dot for each trial, and the bar that they have to reach."""
    import numpy as np

    from course.plotting import BLUE, ORANGE, panels

    axes = panels(1, height=3.0)
    for row, variant in enumerate((LOOP, BEAM)):
        found = [one / 60 for one in values(record.samples, FIRST, variant)]
        axes.barh(row, np.median(found) if found else 0, color=BLUE, height=0.6, alpha=0.7)
        axes.plot(found, [row] * len(found), linestyle="none", marker="o", markersize=3, color=ORANGE)
    axes.axvline(ENOUGH, color="black", linestyle="--")
    axes.set_yticks(range(2), (LOOP, BEAM))
    axes.set(title="Log entries a second into the portal", xlabel="1/s", xlim=(0, None))
    return axes.figure
