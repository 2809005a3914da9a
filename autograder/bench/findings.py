"""What the grading bench looks at after its trials: recovery from being stopped, and scale-out over runners."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from course.lab.source import Lab

WORKERS = (1, 2)
COLUMNS = ("per_minute", "speedup", "first_seconds", "seconds", "overhead_seconds")


def find(lab: Lab, submissions: int, seed: int, kills: int, runners: Sequence[str]) -> dict[str, Any]:
    """Stop runs, and compare runners, as far as it was asked for.

    Args:
        lab: the bench lab.
        submissions: how many each runner grades.
        seed: of points to stop at and of orders.
        kills: how many runs to stop; none for 0.
        runners: names as ``course grade --runner`` takes them.
    """
    found = {}
    if kills:
        from autograder.bench.recovery import recovery

        found["recovery"] = recovery(kills, seed)
    if runners:
        from autograder.scale.bench import scale_out

        found["scale-out"] = scale_out(lab, submissions, runners, WORKERS, seed)
    return found


def show(found: dict[str, Any], console: Console) -> None:
    """Print how often runs were stopped, and a line for each runner with each number of workers."""
    if "recovery" in found:
        stops = ", ".join(f"{count} by {way}" for way, count in found["recovery"]["kills"].items())
        console.print(f"Runs were stopped: {stops}.", highlight=False)
        for disagreement in found["recovery"]["disagreements"]:
            console.print(str(disagreement), style="red", markup=False)
    if "scale-out" in found:
        table = Table(title=f"Scale-out, {found['scale-out']['submissions']} submissions", title_justify="left")
        for column in ("runner", "workers", *COLUMNS):
            table.add_column(column.replace("_", " "), justify="left" if column == "runner" else "right")
        for run in found["scale-out"]["runs"]:
            table.add_row(run["runner"], str(run["workers"]), *(f"{run[column]:.2f}" for column in COLUMNS))
        console.print(table)
