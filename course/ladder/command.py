"""``course ladder``: measure every recogniser of the course on the same recordings, and show what came out."""

import click
from rich.console import Console
from rich.table import Table as Shown

from course.errors import CourseError


@click.group()
def ladder():
    """Every recogniser of the course on the same held-out recordings."""


@ladder.command()
@click.option("--full", "size", flag_value="full", help="All held-out recordings, not the build's share; takes hours.")
@click.option("--quick", "size", flag_value="quick", help="One speaker and a few recordings; takes three minutes.")
@click.option("--systems", help="Ids of systems, separated by commas; all if not given.")
@click.option("--jobs", type=click.IntRange(min=1), help="Processes at once, one thread each; all cores if not given.")
def run(size: str | None, systems: str | None, jobs: int | None):
    """Measure the cells of the table that have no record for the present code and data.

    Each system meets each set in a process of its own. A run that is ended loses the cell that each process is at.
    """
    from course.ladder.heldout import BUILD
    from course.ladder.run import run as run_trials
    from course.ladder.systems import SYSTEMS, system_named

    chosen = [system_named(name) for name in systems.split(",")] if systems else SYSTEMS
    failed = run_trials(Console(stderr=True), size or BUILD, chosen, jobs)
    if failed:
        raise CourseError("; ".join(f"{name} was not measured: {complaint}" for name, complaint in failed.items()))


@ladder.command()
@click.option("--conditions", metavar="SET", help="One held-out set in every condition, for example digits-unseen.")
@click.option("--upto", type=int, help="Number of the last lecture whose systems are shown.")
def show(conditions: str | None, upto: int | None):
    """Show the table; measures nothing."""
    from course.ladder.heldout import HELD_OUT
    from course.ladder.table import LAST_LECTURE, condition_table, ladder_table

    if conditions and conditions not in HELD_OUT:
        raise CourseError(f"No held-out set is called {conditions!r}; there are {', '.join(HELD_OUT)}.")
    upto = upto or LAST_LECTURE
    table = condition_table(conditions, upto) if conditions else ladder_table(upto)
    shown = Shown(*table.columns, title=table.caption, caption=table.notes)
    for row in table.rows:
        shown.add_row(*row)
    Console().print(shown)
