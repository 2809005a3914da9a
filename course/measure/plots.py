"""Plots of a record: raw trials, the roofline, and latency over throughput (Lecture 11, *Fast inference*)."""

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter

from course.measure import statistics
from course.measure.record import Phase, Record, Variant
from course.measure.rules import latency, work_of
from course.plotting import GREY, INK, LINES, panels

MARKERS = "osD^vPX*<>"


def plot_trials(record: Record, phase: Phase = "decode", ax: Axes | None = None) -> Axes:
    """Every raw sample in the order in which it was taken; warm-ups are hollow.

    Raises:
        ValueError: no trial has that phase.
    """
    ax = panels() if ax is None else ax
    drawn = False
    for variant, colour, marker in _styled(record):
        trials = [trial for trial in record.trials if trial.variant == variant.name and trial.timing(phase)]
        for warm, fill in ((True, "none"), (False, colour)):
            chosen = [trial for trial in trials if trial.warm_up == warm]
            values = [1e3 * trial.timing(phase).seconds / trial.timing(phase).steps for trial in chosen]
            label = None if warm else variant.name
            places = [trial.place for trial in chosen]
            ax.plot(places, values, marker, markersize=4, color=colour, markerfacecolor=fill, label=label)
            drawn |= bool(values)
    if not drawn:
        raise ValueError(f"No trial of the record has a {phase}.")
    ax.set(xlabel="Place in the run's order", ylabel=f"{_word(phase)} (ms)", yscale="log")
    ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ax.yaxis.set_major_formatter("{x:g}")
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.legend(ncols=4, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0)
    return ax


def plot_roofline(record: Record, ax: Axes | None = None) -> Axes:
    """Operations a second over operations a byte, under the two ceilings that were measured.

    Raises:
        ValueError: the record has no ceilings, or no counted work.
    """
    flops, moved = record.ceiling("flops"), record.ceiling("bytes")
    points = list(_points(record)) if flops and moved else []
    if not points:
        raise ValueError("A roofline needs measured ceilings and counted work; the record lacks one of them.")
    ax = panels(height=3.0) if ax is None else ax
    reach = [intensity for _, _, intensity, _ in points] + [flops / moved]
    intensities = np.geomspace(min(reach) / 3, max(reach) * 5, 200)
    ax.plot(intensities, np.minimum(flops, moved * intensities) / 1e9, color=INK, linestyle="-")
    ax.text(intensities[-1], flops / 1e9, f"{flops / 1e9:,.0f} GFLOP/s ", ha="right", va="bottom", fontsize=9)
    left = intensities[0]
    ax.text(left, 3.2 * moved * left / 1e9, f"{moved / 1e9:,.0f} GB/s", ha="left", va="bottom", fontsize=9)
    styles = {variant.name: (colour, marker) for variant, colour, marker in _styled(record)}
    for name, phase, intensity, rate in points:
        colour, marker = styles[name]
        fill = colour if phase == "decode" else "none"
        label = name if phase == "decode" else None
        ax.plot(intensity, rate / 1e9, marker, color=colour, markerfacecolor=fill, markersize=6, label=label)
    ax.set(xscale="log", yscale="log", xlabel="Operations a byte (FLOP/B)", ylabel="Rate (GFLOP/s)")
    ax.legend(title="filled: decode, hollow: prefill", loc="lower right")
    return ax


def plot_latency_throughput(record: Record, ax: Axes | None = None) -> Axes:
    """What a request waits over what the machine delivers: by batch, by load, or one point for each variant.

    Raises:
        ValueError: no variant has a number that may be shown.
    """
    ax = panels(height=3.0) if ax is None else ax
    series: dict[str, list[tuple[float, float]]] = {}
    for variant in record.variants:
        point = _served(record, variant) if record.scenario == "server" else _streamed(record, variant)
        if point:
            series.setdefault(variant.backend, []).append(point)
    if not series:
        raise ValueError(
            "No variant of the record has a number that may be shown: its parity or its samples do not do."
        )
    for place, (backend, points) in enumerate(series.items()):
        x, y = zip(*sorted(points), strict=True)
        ax.plot(x, y, marker=MARKERS[place % len(MARKERS)], color=LINES[place % len(LINES)], label=backend)
    if record.load is not None:
        ax.axhline(1e3 * record.load.objective, color=GREY, linewidth=1, linestyle=":")
        ax.text(ax.get_xlim()[0], 1e3 * record.load.objective, " objective", va="bottom", fontsize=9)
        ax.set(xlabel="Load (requests a second)", ylabel=f"Latency of {record.load.share:.0%} (ms)")
    else:
        ax.set(xlabel="Throughput (tokens a second)", ylabel="Time for a token (ms)")
    ax.legend()
    return ax


def _points(record: Record) -> Iterator[tuple[str, str, float, float]]:
    """Variant, phase, operations a byte and operations a second, of what may be shown."""
    for variant in record.variants:
        trials = record.measured(variant.name)
        for phase in statistics.phases_of(record, variant.name):
            work, middle = work_of(variant, trials[0], phase), statistics.median(record, variant.name, phase)
            if work is None or middle.value is None:
                continue
            seconds = middle.value * trials[0].timing(phase).steps
            yield variant.name, phase, work.flops / work.bytes, work.flops / seconds


def _streamed(record: Record, variant: Variant) -> tuple[float, float] | None:
    """Tokens a second of all sequences together, and milliseconds that one sequence waits for a token."""
    middle = statistics.median(record, variant.name, "decode")
    return None if middle.value is None else (variant.batch / middle.value, 1e3 * middle.value)


def _served(record: Record, variant: Variant) -> tuple[float, float] | None:
    found = latency(record, variant.name, record.load.share)
    return None if found.value is None else (variant.rate, 1e3 * found.value)


def _styled(record: Record) -> Iterator[tuple[Variant, str, str]]:
    for place, variant in enumerate(record.variants):
        yield variant, LINES[place % len(LINES)], MARKERS[place % len(MARKERS)]


def _word(phase: Phase) -> str:
    return {"prefill": "Prefill", "decode": "A token", "kernel": "A call"}[phase]
