"""Plots of requests: how many of each kind, when what happened, what reached callers (Lecture 10).

Drawn in the style of `course.plotting`.
"""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes

from course.plotting import BLUE, DASHES, GREY, INK, LINES, ORANGE, panels

MARKERS = ("o", "s", "^", "D", "v")
MOST_MARKED = 30  # points of a curve that are marked one by one


def plot_counts(counts: Mapping[str, float], xlabel: str, ax: Axes | None = None) -> Axes:
    """How many of each kind, a bar each, from top to bottom as they come.

    Args:
        counts: kind to count, 0 or more.
        xlabel: what is counted.
    """
    _need(counts, "counts")
    ax = panels(height=0.9 + 0.27 * len(counts)) if ax is None else ax
    bars = ax.barh(range(len(counts)), list(counts.values()), height=0.62, color=BLUE)
    ax.bar_label(bars, padding=3, fontsize=9)
    ax.set_yticks(range(len(counts)), list(counts))
    ax.set(xlabel=xlabel, ylim=(len(counts) - 0.5, -0.5), xlim=(0, 1.1 * max(*counts.values(), 1)))
    ax.grid(axis="y", visible=False)
    return ax


def plot_sizes(measured: Mapping[int, float], expected: Mapping[int, float], ax: Axes | None = None) -> Axes:
    """Shares of batches by their size: bars as counted, dots as a formula has them.

    Args:
        measured: size to the share of the batches that have it, in [0, 1].
        expected: the same by the formula; may be empty.
    """
    _need(measured, "measured")
    ax = panels(height=2.4) if ax is None else ax
    ax.bar(list(measured), list(measured.values()), width=0.7, color=BLUE, label="counted")
    if expected:
        dots = {"linestyle": "none", "marker": "D", "markersize": 5, "markeredgecolor": INK, "color": ORANGE}
        ax.plot(list(expected), list(expected.values()), label="expected", **dots)
        ax.legend()
    ax.set(xlabel="Requests in a batch", ylabel="Share of the batches", ylim=(0, None))
    ax.grid(axis="x", visible=False)
    return ax


def plot_over(
    x: Sequence[float],
    curves: Mapping[str, Sequence[float]],
    xlabel: str,
    ylabel: str,
    marks: Mapping[str, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Curves over the same numbers, on linear axes from 0.

    Args:
        x: ``(n,)``.
        curves: label to ``(n,)``.
        xlabel, ylabel: with the unit.
        marks: label to a place on the x axis that is drawn as a line from top to bottom.

    Raises:
        ValueError: a curve that has another length than ``x``.
    """
    _need(curves, "curves")
    for label, values in curves.items():
        if len(values) != len(x):
            raise ValueError(f"{len(x)} values were expected for {label!r} and {len(values)} came.")
    ax = panels(height=2.8) if ax is None else ax
    for number, (label, values) in enumerate(curves.items()):
        marker = MARKERS[number % len(MARKERS)] if len(x) <= MOST_MARKED else None
        style = {"color": LINES[number % len(LINES)], "linestyle": DASHES[number % len(DASHES)]}
        ax.plot(x, values, label=label, marker=marker, markersize=4, **style)
    for label, place in (marks or {}).items():
        ax.axvline(place, color=GREY, linewidth=1.0, linestyle=DASHES[1])
        ax.text(place, 1.0, f" {label}", transform=ax.get_xaxis_transform(), color=INK, fontsize=9, va="bottom")
    ax.set(xlabel=xlabel, ylabel=ylabel, ylim=(0, None))
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return ax


def plot_moments(rows: Mapping[str, Sequence[float]], xlabel: str, ax: Axes | None = None) -> Axes:
    """When something happened, a row of marks for each kind.

    Args:
        rows: kind to its moments.
        xlabel: with the unit.
    """
    _need(rows, "rows")
    ax = panels(height=0.9 + 0.3 * len(rows)) if ax is None else ax
    for number, (label, moments) in enumerate(rows.items()):
        style = {"color": LINES[number % len(LINES)], "marker": MARKERS[number % len(MARKERS)]}
        ax.plot(list(moments), [number] * len(moments), linestyle="none", markersize=5, label=label, **style)
    ax.set_yticks(range(len(rows)), list(rows))
    ax.set(xlabel=xlabel, ylim=(len(rows) - 0.5, -0.5), xlim=(0, None))
    ax.grid(axis="y", visible=False)
    return ax


def _need(rows: Mapping, name: str) -> None:
    if not rows:
        raise ValueError(f"At least one entry of {name} was expected and none came.")
