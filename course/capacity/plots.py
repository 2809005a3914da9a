"""Pictures of queues, machines and money (Lecture 12, *Cloud and DevOps*)."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from course.capacity.autoscaling import Scaled
from course.capacity.following import Span
from course.capacity.rollout import Sequential
from course.plotting import BLUE, DASHES, GREEN, GREY, INK, LINES, ORANGE, panels

MARKERS = "osD^v"


def plot_over(
    x: Sequence[float],
    curves: Mapping[str, Sequence[float]],
    xlabel: str,
    ylabel: str,
    dots: Mapping[str, tuple[Sequence[float], Sequence[float]]] | None = None,
    levels: Mapping[str, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Curves over the same numbers, and dots that were found in another way.

    Args:
        x: ``(n,)``.
        curves: label to ``(n,)``; what is not finite is left out.
        xlabel, ylabel: with the unit.
        dots: label to the dots' own x and y.
        levels: label to a height that is drawn across.
    """
    ax = panels(height=2.8) if ax is None else ax
    for number, (label, values) in enumerate(curves.items()):
        style = {"color": LINES[number % len(LINES)], "linestyle": DASHES[number % len(DASHES)]}
        ax.plot(x, np.where(np.isfinite(values), values, np.nan), label=label, **style)
    for number, (label, (at, values)) in enumerate((dots or {}).items()):
        style = {"color": LINES[number % len(LINES)], "marker": MARKERS[number % len(MARKERS)]}
        ax.plot(at, values, linestyle="none", markersize=5, markerfacecolor="none", label=label, **style)
    for label, level in (levels or {}).items():
        ax.axhline(level, color=GREY, linewidth=1.2, linestyle=DASHES[2])
        ax.text(ax.get_xlim()[0], level, f" {label}", va="bottom", fontsize=9)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    if len(curves) + len(dots or {}) > 1:
        ax.legend()
    return ax


def plot_spans(rows: Mapping[str, Sequence[Span]], ax: Axes | None = None) -> Axes:
    """Where the time of requests went, a row for each.

    Args:
        rows: name of a request to its spans; all rows have spans of the same names.
    """
    ax = panels(height=0.9 + 0.32 * len(rows)) if ax is None else ax
    colours = dict(zip(("in line", "reading", "writing"), (ORANGE, GREEN, BLUE), strict=True))
    hatches = {"in line": "//", "reading": "..", "writing": ""}
    for row, spans in enumerate(rows.values()):
        for span in spans:
            label = span.name if row == 0 else None
            style = {"color": colours[span.name], "edgecolor": INK, "linewidth": 0.4, "hatch": hatches[span.name]}
            style["facecolor"] = style.pop("color")
            ax.barh(row, span.seconds, left=span.began, height=0.62, label=label, **style)
    ax.set_yticks(range(len(rows)), list(rows))
    ax.set(xlabel="Seconds after it arrived", ylim=(len(rows) - 0.5, -0.5))
    ax.legend(loc="lower right")
    return ax


def plot_scaling(runs: Mapping[str, Scaled], rates, per_replica: float) -> np.ndarray:
    """Replicas that are asked for and needed, and the delay in the line, over minutes.

    Args:
        runs: name of an autoscaler to its run on the traffic.
        rates: ``(n_seconds,)`` requests a second.
        per_replica: requests a second that one replica can serve.

    Returns:
        The axes, ``(2,)``.
    """
    axes = panels(2, height=4.2, sharex=True)
    minutes = np.arange(len(rates)) / 60
    axes[0].plot(minutes, np.asarray(rates) / per_replica, color=INK, linewidth=1.2, label="needed")
    for number, (name, run) in enumerate(runs.items()):
        style = {"color": LINES[number], "linestyle": DASHES[number]}
        axes[0].step(minutes, run.asked, where="post", label=name, **style)
        axes[1].plot(minutes, run.delay, **style)
    most = max(run.asked.max() for run in runs.values())
    axes[0].set(ylabel="Machines", ylim=(0, 1.5 * most))  # room for the legend
    axes[0].legend(loc="upper left", ncols=2)
    axes[1].set(xlabel="Minutes", ylabel="Wait (s)")
    return axes


def plot_evidence(test: Sequential, outcomes: Mapping[str, np.ndarray], ax: Axes | None = None) -> Axes:
    """The evidence of a sequential test after each request, until it decides, with its borders.

    Args:
        test: the test.
        outcomes: name of a version to whether each of its requests was slow ``(n,)``.
    """
    ax = panels(height=2.8) if ax is None else ax
    for number, (name, slow) in enumerate(outcomes.items()):
        path = test.evidence(slow)[: test.decide(slow).after]
        style = {"color": LINES[number], "linestyle": DASHES[number]}
        ax.plot(np.arange(1, path.size + 1), path, label=name, **style)
    for border, name in zip(test.borders, ("promote", "roll back"), strict=True):
        ax.axhline(border, color=GREY, linewidth=1.2)
        ax.text(1, border, f" {name}", va="bottom", fontsize=9)
    low, high = test.borders
    ax.set(xlabel="Requests of the canary", ylabel="Evidence (nats)", ylim=(2.2 * low, 1.5 * high))
    ax.legend(loc="lower right")
    return ax
