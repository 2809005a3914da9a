"""Plots of work, time and answers (Lecture 11, *Fast inference*), in the style of `course.plotting`."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter

from course.bench.statistics import Interval
from course.plotting import BLUE, DASHES, GREY, INK, LINES, ORANGE, panels

MARKERS = ("o", "s", "^", "D", "v", "P", "X")
MOST_TICKS = 10  # numbers of an axis that are written out
STEPS = (1.0, 2.0, 5.0)  # within each power of ten, where an axis of ratios has its numbers


def plot_roof(
    flops_per_second: float, bytes_per_second: float, points: Mapping[str, tuple[float, float]], ax: Axes | None = None
) -> Axes:
    """The two ceilings of a device as one bent line, and passes over a model under it.

    Args:
        flops_per_second, bytes_per_second: the ceilings.
        points: label to FLOPs a byte, and FLOP/s that were reached.
    """
    ax = panels(height=3.2) if ax is None else ax
    ridge = flops_per_second / bytes_per_second
    intensities = [intensity for intensity, _ in points.values()]
    reach = np.geomspace(min(*intensities, ridge) / 2, max(*intensities, ridge) * 4, 200)
    ax.loglog(reach, np.minimum(flops_per_second, bytes_per_second * reach) / 1e9, color=INK, linestyle="-")
    ax.axvline(ridge, color=GREY, linestyle=DASHES[1], linewidth=1.0)
    ax.text(ridge, 0.02, " ridge", transform=ax.get_xaxis_transform(), color=INK, fontsize=9)
    for number, (label, (intensity, rate)) in enumerate(points.items()):
        colour, marker = LINES[number % len(LINES)], MARKERS[number % len(MARKERS)]
        ax.plot(intensity, rate / 1e9, marker, color=colour, markersize=7, label=label)
    ax.set(xlabel="Operations a byte (FLOP/B)", ylabel="Rate (GFLOP/s)")
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return ax


def plot_timeline(rows: Mapping[str, Sequence[tuple[float, float]]], readings: Mapping[str, float], ax=None) -> Axes:
    """Who is at work when, and when somebody read the clock.

    Args:
        rows: label to beginning and length, seconds, of each piece of work.
        readings: label to the instant of a reading, seconds.
    """
    ax = panels(height=1.0 + 0.5 * len(rows)) if ax is None else ax
    for y, spans in enumerate(rows.values()):
        scaled = [(1e3 * start, 1e3 * length) for start, length in spans]
        ax.broken_barh(scaled, (y - 0.3, 0.6), facecolor=LINES[y], edgecolor=INK, linewidth=0.4)
    for number, (label, instant) in enumerate(readings.items()):
        ax.axvline(1e3 * instant, color=INK, linestyle=DASHES[1 + number], linewidth=1.2)
        ax.text(1e3 * instant, -0.55, f" {label}", fontsize=9, va="bottom")
    ax.set_yticks(range(len(rows)), list(rows))
    ax.set(xlabel="Time (ms)", ylim=(len(rows) - 0.5, -1.0))
    ax.grid(axis="y", visible=False)
    return ax


def plot_reported(rows: Mapping[str, tuple[float, float]], ax: Axes | None = None) -> Axes:
    """By what factor a measurement is wrong, for each way of taking it; logarithmic, 1 is right.

    Args:
        rows: label to what it reports, and what is true, above 0.
    """
    ax = panels(height=0.8 + 0.26 * len(rows)) if ax is None else ax
    factors = [reported / true for reported, true in rows.values()]
    ax.hlines(range(len(rows)), 1, factors, color=BLUE, linewidth=1.4)
    ax.plot(factors, range(len(rows)), "o", color=BLUE, markersize=5)
    ax.axvline(1, color=INK, linewidth=1.0)
    ax.set_yticks(range(len(rows)), list(rows))
    ax.set(xscale="log", xlabel="Reported, over what is true", ylim=(len(rows) - 0.5, -0.5))
    ax.xaxis.set_minor_formatter(NullFormatter())
    return ax


def plot_curves(
    x: Sequence[float],
    curves: Mapping[str, Sequence[float]],
    xlabel: str,
    ylabel: str,
    levels: Mapping[str, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Curves over the same positive numbers, on two logarithmic axes.

    Args:
        x: ``(n,)``.
        curves: label to ``(n,)``; what is not finite is left out.
        xlabel, ylabel: with the unit.
        levels: label to a height that is drawn across.
    """
    ax = panels(height=3.0) if ax is None else ax
    for number, (label, values) in enumerate(curves.items()):
        style = {"color": LINES[number % len(LINES)], "linestyle": DASHES[number % len(DASHES)]}
        ax.loglog(x, values, marker=MARKERS[number % len(MARKERS)], markersize=4, label=label, **style)
    for label, level in (levels or {}).items():
        ax.axhline(level, color=GREY, linewidth=1.2, linestyle=DASHES[2])
        ax.text(x[0], level, label, va="bottom", fontsize=9)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    if len(x) <= MOST_TICKS:
        ax.set_xticks(list(x), [f"{value:,.0f}" if value >= 100 else f"{value:.3g}" for value in x])
        ax.xaxis.set_minor_formatter(NullFormatter())
    ax.legend()
    return ax


def plot_ratios(
    x: Sequence[float], ratios: Mapping[str, Sequence[tuple[float, Interval]]], xlabel: str, ax: Axes | None = None
) -> Axes:
    """How many times faster than a baseline, with 95 % intervals; the baseline is the line at 1.

    Args:
        x: ``(n,)`` above 0.
        ratios: label to the ratio and its interval at each.
        xlabel: with the unit.
    """
    ax = panels(height=2.8) if ax is None else ax
    for number, (label, row) in enumerate(ratios.items()):
        values = np.array([value for value, _ in row])
        ends = np.array([[value - found.low, found.high - value] for value, found in row]).T
        style = {"color": LINES[number % len(LINES)], "linestyle": DASHES[number % len(DASHES)]}
        places = np.asarray(x) * 1.03**number  # so that the intervals do not hide one another
        ax.errorbar(places, values, np.maximum(ends, 0), marker=MARKERS[number], markersize=5, label=label, **style)
    ax.axhline(1, color=INK, linewidth=1.0, linestyle="-")
    ax.set(xlabel=xlabel, ylabel="Times as fast", xscale="log", yscale="log")
    ax.set_xticks(list(x), [f"{value:,g}" for value in x])
    ax.yaxis.set_major_locator(LogLocator(subs=STEPS))
    ax.yaxis.set_major_formatter("{x:g}")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_minor_formatter(NullFormatter())
    ax.legend()
    return ax


def plot_speed_ups(rows: Mapping[str, tuple[float, Interval]], ax: Axes | None = None) -> Axes:
    """Ratios with their 95 % intervals, one below the other; what lies left of the line is slower than the baseline.

    Args:
        rows: label to the ratio and its interval.
    """
    ax = panels(height=0.9 + 0.3 * len(rows)) if ax is None else ax
    for y, (value, found) in enumerate(rows.values()):
        colour = BLUE if found.low > 1 else ORANGE if found.high < 1 else GREY
        ends = [[max(value - found.low, 0)], [max(found.high - value, 0)]]
        ax.errorbar(value, y, xerr=ends, fmt="o" if found.low > 1 else "s", color=colour, markersize=6, capsize=3)
        ax.text(max(found.high, value) * 1.05, y, f"{value:.3g}", va="center", fontsize=9)
    ax.axvline(1, color=INK, linewidth=1.0)
    ax.set_yticks(range(len(rows)), list(rows))
    ax.set(xscale="log", xlabel="Times as fast as the baseline", ylim=(len(rows) - 0.5, -0.5))
    ax.xaxis.set_major_locator(LogLocator(subs=STEPS))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.margins(x=0.15)
    return ax


def plot_operators(graphs: Mapping[str, Mapping[str, int]], most: int = 12, ax: Axes | None = None) -> Axes:
    """How often each operator occurs in some graphs, the commonest first.

    Args:
        graphs: label to the counts by operator.
        most: operators that are drawn.
    """
    every = {name for counts in graphs.values() for name in counts}
    totals = {name: max(counts.get(name, 0) for counts in graphs.values()) for name in every}
    names = sorted(totals, key=lambda name: (-totals[name], name))[:most]
    ax = panels(height=0.8 + 0.3 * len(names)) if ax is None else ax
    height = 0.8 / len(graphs)
    for number, (label, counts) in enumerate(graphs.items()):
        places = np.arange(len(names)) + (number - (len(graphs) - 1) / 2) * height
        hatch = ("", "///", "...")[number % 3]
        values = [counts.get(name, 0) for name in names]
        ax.barh(places, values, height, color=LINES[number], hatch=hatch, edgecolor=INK, linewidth=0.4, label=label)
    ax.set_yticks(range(len(names)), names)
    ax.set(xlabel="Nodes in the graph", ylim=(len(names) - 0.5, -0.5))
    ax.grid(axis="y", visible=False)
    ax.legend(loc="lower right")
    return ax


def plot_channels(largest: Mapping[str, Sequence[float]], ax: Axes | None = None) -> Axes:
    """The largest magnitude of each channel, sorted, on a logarithmic axis.

    Args:
        largest: label to ``(n,)`` magnitudes above 0.
    """
    ax = panels(height=2.6) if ax is None else ax
    for number, (label, values) in enumerate(largest.items()):
        ordered = np.sort(np.asarray(values, dtype=float))[::-1]
        ax.loglog(1 + np.arange(ordered.size), ordered, linestyle=DASHES[number], color=LINES[number], label=label)
    ax.set(xlabel="Rank of the channel", ylabel="Largest magnitude")
    ax.legend()
    return ax


def plot_price(points: Mapping[str, tuple[float, float]], ax: Axes | None = None) -> Axes:
    """What rounding costs, over the bytes that are left of a weight.

    Args:
        points: label to bytes a weight, and divergence in nats a token.
    """
    ax = panels(height=3.2) if ax is None else ax
    for number, (label, (size, divergence)) in enumerate(points.items()):
        colour, marker = LINES[number % len(LINES)], MARKERS[number % len(MARKERS)]
        ax.semilogy(size, divergence, marker, color=colour, markersize=8, label=label)
    ax.set(xlabel="Bytes a weight, scales included", ylabel="Divergence (nats a token)", xlim=(0, 1.3))
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return ax
