"""Drawings of records on their way, similar pairs, windows and runners, in the course's style (Lecture 8)."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from course.pipelines.duplicates import Banding
from course.pipelines.streaming import Pane, Step, Watermark
from course.pipelines.writing import Manifest
from course.plotting import BLUE, GREEN, GREY, INK, ORANGE, panels

LOSSES = ("dead letters", "filtered", "duplicates", "contaminated")
COLOURS = {"on time": BLUE, "late": ORANGE, "dropped": GREY}


def plot_losses(manifest: Manifest, ax: Axes | None = None) -> Axes:
    """How many lines each reason took, by stage, and how many records were written, the first stage at the top."""
    counts = {stage: manifest.counts.get(stage, {}) for stage in (*LOSSES, "written")}
    rows = [(stage, reason, times) for stage, reasons in counts.items() for reason, times in reasons.items()]
    ax = panels(height=0.8 + 0.26 * len(rows)) if ax is None else ax
    colours = [GREEN if stage == "written" else ORANGE for stage, _, _ in rows]
    ax.barh(range(len(rows)), [times for _, _, times in rows], color=colours, alpha=0.8)
    for row, (_, _, times) in enumerate(rows):
        ax.text(times, row, f" {times}", va="center", color=INK, fontsize=9)
    ax.set_yticks(range(len(rows)), [f"{stage}: {reason}" for stage, reason, _ in rows])
    ax.invert_yaxis()
    ax.set(xlabel="Lines")
    return ax


def plot_banding(bandings: Sequence[Banding], ax: Axes | None = None, found: Sequence[tuple[float, bool]] = ()) -> Axes:
    """How likely a pair is to become a candidate, over its similarity, for several bandings.

    Args:
        bandings: a curve each.
        found: similarity of pairs, and whether the first banding found them; drawn as dots at 1 and 0.
    """
    ax = panels(height=2.8) if ax is None else ax
    similarity = np.linspace(0, 1, 201)
    for banding in bandings:
        ax.plot(similarity, banding.probability(similarity), label=f"{banding.n_bands} bands of {banding.n_rows} rows")
    for hit, colour in ((True, GREEN), (False, GREY)):
        pairs = [one for one, was_found in found if was_found == hit]
        ax.plot(pairs, [float(hit)] * len(pairs), "|", color=colour, markersize=9, clip_on=False)
    ax.set(xlabel="Similarity of two texts (Jaccard)", ylabel="Probability to be compared", xlim=(0, 1), ylim=(0, 1))
    ax.legend()
    return ax


def plot_arrivals(script: Sequence[Step], size: float, lateness: float, ax: Axes | None = None) -> Axes:
    """When events happened against when they arrived, and the watermark as a staircase.

    Args:
        script: as :func:`course.pipelines.streaming.panes` plays it; a step is a unit of arrival.
        size: of the windows, seconds, drawn as vertical lines.
        lateness: allowed, seconds.
    """
    ax = panels(height=3.2) if ax is None else ax
    watermark, staircase, arrived = 0.0, [(0.0, 0)], {"on time": [], "late": [], "dropped": []}
    for place, step in enumerate(script, 1):
        if isinstance(step, Watermark):
            watermark = max(watermark, step.at)
        else:
            for event in step.events:
                arrived[_timing(event.at, size, lateness, watermark)].append((event.at, place))
        staircase.append((watermark, place))
    ax.step(*zip(*staircase, strict=True), color=INK, linewidth=1, linestyle="-", where="pre", label="watermark")
    for (timing, points), marker in zip(arrived.items(), "osx", strict=True):
        ax.plot(*(zip(*points, strict=True) if points else ((), ())), marker, color=COLOURS[timing], label=timing)
    ax.set_xticks(np.arange(0, max(x for points in arrived.values() for x, _ in points) + size, size))
    ax.set(xlabel="When it happened (s)", ylabel="When it arrived (step)", ylim=(0, None))
    ax.legend()
    return ax


def _timing(at: float, size: float, lateness: float, watermark: float) -> str:
    """What becomes of an event that arrives at a watermark."""
    end = (at // size + 1) * size
    if end + lateness < watermark:
        return "dropped"
    return "late" if end <= watermark else "on time"


def plot_panes(panes: Sequence[Pane], ax: Axes | None = None) -> Axes:
    """The counts that a window gave one after the other, as bars beside each other."""
    places = sorted({(pane.window.start, pane.queue) for pane in panes})
    ax = panels(height=2.6) if ax is None else ax
    given = {place: [pane for pane in panes if (pane.window.start, pane.queue) == place] for place in places}
    width = 0.8 / max(map(len, given.values()), default=1)
    for column, of_place in enumerate(given.values()):
        for number, pane in enumerate(of_place):
            ax.bar(
                column + number * width, pane.statistics.count, 0.9 * width, color=COLOURS[pane.timing], align="edge"
            )
    ax.set_xticks(np.arange(len(places)) + 0.4, [f"{queue}\nfrom {start:g} s" for start, queue in places])
    ax.set(ylabel="Calls in the pane")
    for timing in ("on time", "late"):
        ax.bar(0, 0, color=COLOURS[timing], label=timing)
    ax.legend()
    return ax


def plot_shares(shares: Mapping[str, float], label: str, ax: Axes | None = None) -> Axes:
    """A bar for each name, in per cent, the first at the top."""
    ax = panels(height=0.9 + 0.3 * len(shares)) if ax is None else ax
    ax.barh(range(len(shares)), [100 * share for share in shares.values()], color=BLUE, alpha=0.8)
    ax.set_yticks(range(len(shares)), list(shares))
    ax.invert_yaxis()
    ax.set(xlabel=label)
    return ax
