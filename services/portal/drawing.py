"""Where the bars of the leaderboard lie: a ratio with its interval, from 0 to the highest end of all."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

WIDTH = 300.0  # of the drawing, in its own units


@dataclass(frozen=True)
class Bar:
    """A row of the leaderboard with the places of its ratio and of the ends of its interval."""

    row: dict[str, Any]
    tie: bool
    at: float | None = None
    low: float = 0.0
    span: float = 0.0


@dataclass(frozen=True)
class Drawn:
    """All rows, and where 1 lies, which is the baseline."""

    bars: tuple[Bar, ...]
    one: float


def intervals(rows: Sequence[dict[str, Any]]) -> Drawn:
    """The drawing of a leaderboard's rows."""
    highest = max([1.0, *(row["high"] for row in rows if row["high"] is not None)]) * 1.05
    ranks = [row["rank"] for row in rows if row["rank"] is not None]

    def bar(row: dict[str, Any]) -> Bar:
        tie = row["rank"] is not None and ranks.count(row["rank"]) > 1
        if row["ratio"] is None:
            return Bar(row, tie)
        at, low, high = (round(WIDTH * row[name] / highest, 1) for name in ("ratio", "low", "high"))
        return Bar(row, tie, at, low, max(round(high - low, 1), 1.0))

    return Drawn(tuple(bar(row) for row in rows), round(WIDTH / highest, 1))
