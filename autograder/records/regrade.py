"""What a run changed, for the instructor: who gained or lost points, and why."""

from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from autograder.records.ledger import LedgerEntry


def show_changes(entries: Sequence[LedgerEntry], console: Console) -> None:
    """Print a table of those who have another score than before, and how many were graded again and have the same.

    Args:
        entries: what a run entered in the gradebook.
        console: where to print.
    """
    changed = sorted((entry for entry in entries if entry.changed), key=lambda one: (one.lab, _gain(one), one.student))
    if changed:
        table = Table(title="Scores that changed", title_justify="left")
        for column in ("Lab", "Student", "Before", "Now", "Change", "Why"):
            table.add_column(column, justify="right" if column in ("Before", "Now", "Change") else "left")
        for one in changed:
            table.add_row(one.lab, escape(one.student), str(one.before), str(one.score), f"{_gain(one):+d}", one.why)
        console.print(table)
    same = Counter(entry.why for entry in entries if entry.before == entry.score)
    for why, count in sorted(same.items()):
        console.print(f"{count} graded again ({why}), with the score they had.", soft_wrap=True)


def _gain(entry: LedgerEntry) -> int:
    """Points more than before; only for an entry that has one before it."""
    return entry.score - (entry.before or 0)
