"""Drawings of intervals, confusions, leaks and swaps, in the course's style (Lecture 9)."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from course.evaluation.intervals import Interval
from course.evaluation.judge import SwapTest
from course.plotting import BLUE, GREY, INK, ORANGE, panels


def plot_intervals(
    found: Mapping[str, Interval], ax: Axes | None = None, zero: bool = False, label: str = "Accuracy (%)"
) -> Axes:
    """A dot and a bar for each system, the first at the top.

    Args:
        found: name to score or difference, as shares.
        zero: draw the line at which two systems tie.
        label: of the horizontal axis, in per cent.
    """
    ax = panels(height=0.9 + 0.34 * len(found)) if ax is None else ax
    for row, interval in enumerate(found.values()):
        beyond = zero and interval.is_beyond_chance
        colour = ORANGE if beyond else BLUE
        ax.plot([100 * interval.low, 100 * interval.high], [row, row], "-", color=colour, linewidth=2)
        ax.plot(100 * interval.value, row, "s" if beyond else "o", color=colour, markersize=6)
    if zero:
        ax.axvline(0, color=INK, linewidth=0.9)
    ax.set_yticks(range(len(found)), list(found))
    ax.set(xlabel=label, ylim=(len(found) - 0.5, -0.5))
    return ax


def plot_confusion(counts: np.ndarray, labels: Sequence[str], ax: Axes | None = None) -> Axes:
    """How often each label was answered (columns) for each (rows), as shares of the row; empty rows stay dark."""
    ax = panels(height=5) if ax is None else ax
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    picture = ax.imshow(shares, vmin=0, vmax=1, interpolation="none")
    ax.figure.colorbar(picture, ax=ax, label="Share of the row")
    ax.set_xticks(range(len(labels)), labels, rotation=90)
    ax.set_yticks(range(len(labels)), labels)
    ax.set(xlabel="Answered", ylabel="Expected")
    ax.grid(False)
    return ax


def plot_overlaps(shares: np.ndarray, planted: np.ndarray, ax: Axes | None = None) -> Axes:
    """How much of each text is in the training texts: planted ones against the rest, as histograms."""
    ax = panels() if ax is None else ax
    edges = np.linspace(0, 1, 21)
    ax.hist(shares[~planted], edges, color=GREY, label="not planted", alpha=0.8)
    ax.hist(shares[planted], edges, histtype="step", color=ORANGE, linewidth=2, label="planted, one word put in")
    ax.set(xlabel="Share of runs of words found in training", ylabel="Test turns", xlim=(0, 1))
    ax.legend()
    return ax


def plot_swap(found: SwapTest, ax: Axes | None = None) -> Axes:
    """Each pair as a line between its two verdicts; a judge of texts alone crosses zero with each."""
    ax = panels() if ax is None else ax
    for row, (there, back) in enumerate(zip(found.good_first, found.poor_first, strict=True), start=1):
        ax.plot([there, back], [row, row], "-", color=GREY, linewidth=1)
    rows = np.arange(1, len(found.good_first) + 1)
    ax.plot(found.good_first, rows, "o", color=BLUE, linestyle="none", label="better text shown first")
    ax.plot(found.poor_first, rows, "s", color=ORANGE, linestyle="none", label="poorer text shown first")
    ax.axvline(0, color=INK, linewidth=0.9)
    ax.set(xlabel="Log-odds for what is shown first", ylabel="Pair", ylim=(0, len(rows) + 2.6))
    ax.legend(loc="upper left", ncols=2)
    return ax
