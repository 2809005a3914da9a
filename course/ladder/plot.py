"""The ladder drawn: errors of every system, clean, on the telephone and in noise."""

import numpy as np
from matplotlib.axes import Axes

from course.ladder.compare import cell_of, rate_interval
from course.ladder.heldout import BUILD, CLEAN, HELD_OUT, QUICK, UNSEEN
from course.ladder.records import Cell
from course.ladder.systems import SYSTEMS, System
from course.ladder.table import is_tested
from course.plotting import BLUE, GREEN, ORANGE, panels

# Told apart in grey by their shapes, and by lying one below the other in each row.
SHOWN = {
    CLEAN: {"label": "clean", "color": BLUE, "marker": "o"},
    "GSM": {"label": "through GSM", "color": ORANGE, "marker": "s"},
    "dishes 5 dB": {"label": "kitchen noise, 5 dB", "color": GREEN, "marker": "^"},
}
SPREAD = 0.24  # rows: from one condition of a system to the next


def plot_ladder(ax: Axes | None = None, heldout: str = UNSEEN.id) -> Axes:
    """Word error rates with their intervals, a row for each system, the first of the course on top.

    Args:
        ax: where to draw.
        heldout: id of the set.
    """
    systems = [system for system in SYSTEMS if is_tested(system, HELD_OUT[heldout])]
    ax = panels(height=0.9 + 0.52 * len(systems)) if ax is None else ax
    for offset, (condition, style) in zip((-SPREAD, 0, SPREAD), SHOWN.items(), strict=True):
        _draw_condition(ax, systems, heldout, condition, offset, style)
    ax.set_yticks(range(len(systems)), [system.title for system in systems])
    ax.set(xlabel="Word error rate (%)", xlim=(0, None), ylim=(len(systems) - 0.5, -0.5))
    ax.grid(False, axis="y")
    ax.legend(loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=3, handletextpad=0.2, columnspacing=1.0)
    return ax


def _draw_condition(ax: Axes, systems: list[System], heldout: str, condition: str, offset: float, style: dict) -> None:
    found = [(row, _drawn(system, heldout, condition)) for row, system in enumerate(systems)]
    found = [(row, cell) for row, cell in found if cell]
    rates = 100 * np.array([cell.rate for _, cell in found])
    ends = 100 * np.array([rate_interval(cell) for _, cell in found]).reshape(-1, 2)
    ax.errorbar(
        rates,
        [row + offset for row, _ in found],
        xerr=np.maximum(0, np.stack([rates - ends[:, 0], ends[:, 1] - rates])),
        linestyle="none",
        markersize=5,
        elinewidth=1.2,
        capsize=2,
        **style,
    )


def _drawn(system: System, heldout: str, condition: str) -> Cell | None:
    """The build's record, or else the quick run's: a full run is for the tables."""
    return cell_of(system, heldout, condition, BUILD) or cell_of(system, heldout, condition, QUICK)


def describe_ladder(heldout: str = UNSEEN.id) -> str:
    """What :func:`plot_ladder` shows, in words and numbers."""
    parts = []
    for system in SYSTEMS:
        if not is_tested(system, HELD_OUT[heldout]):
            continue
        cells = {name: _drawn(system, heldout, name) for name in SHOWN}
        rates = [f"{SHOWN[name]['label']} {100 * cell.rate:.0f} %" for name, cell in cells.items() if cell]
        parts += [f"{system.title}: {', '.join(rates)}"] if rates else []
    return f"Word error rates on {HELD_OUT[heldout].title.lower()}. {'; '.join(parts) or 'Nothing measured yet'}."
