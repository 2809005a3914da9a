"""The plot of ``course bench grading``: every trial as a dot, medians as bars, limits as lines."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from autograder.bench import grading
from course.bench.record import Record, values
from course.plotting import BLUE, GREY, ORANGE, panels

PER_MIB = 1 / 2**20
STOCK_PROGRAM = "nbgrader"  # whose bars are grey


def draw(record: Record) -> Figure:
    """Throughput, memory, time to a verdict, and growth, one panel each."""
    axes = panels(4, height=9.0, height_ratios=(3, 2, 3, 4))
    _bars(axes[0], record, grading.THROUGHPUT, (grading.OURS, grading.STOCK, grading.STOCK_TWICE), 1)
    axes[0].set(title="Submissions graded per minute", xlabel="1/min")
    _bars(axes[1], record, grading.MEMORY, (grading.OURS, grading.STOCK), PER_MIB)
    axes[1].set(title="Peak memory of all processes", xlabel="MiB")
    _bars(axes[2], record, grading.LATENCY, (grading.WARM, grading.COLD, grading.STOCK_COLD), 1)
    axes[2].axvline(grading.SOON.limit, color=GREY, linestyle="--", linewidth=1)
    axes[2].set(title="From a submission to its verdict", xlabel="s")
    _growth(axes[3], record)
    return axes[0].figure


def _bars(ax: Axes, record: Record, quantity: str, variants: Sequence[str], scale: float) -> None:
    for row, variant in enumerate(variants):
        found = scale * np.array(values(record.samples, quantity, variant))
        if found.size:
            ax.barh(
                row, np.median(found), color=GREY if variant.startswith(STOCK_PROGRAM) else BLUE, height=0.6, alpha=0.7
            )
            ax.plot(found, np.full(found.size, row), linestyle="none", marker="o", markersize=3, color=ORANGE)
    ax.set_yticks(range(len(variants)), [variant.replace(", ", ",\n") for variant in variants], fontsize=9)
    ax.set_xlim(left=0)
    ax.invert_yaxis()


def _growth(ax: Axes, record: Record) -> None:
    sizes = sorted({sample.size for sample in record.samples if sample.quantity == grading.CLASS})
    if not sizes:
        ax.set(title="A class, with gradebook and pages: left out", xticks=[], yticks=[])
        return
    for quantity, marker, colour in ((grading.CLASS, "o", BLUE), (grading.AGAIN, "s", ORANGE)):
        found = [sample for sample in record.samples if sample.quantity == quantity]
        times = [sample.value for sample in found]
        ax.plot([one.size for one in found], times, linestyle="none", marker=marker, color=colour, label=quantity)
    curve = grading.grown(record.samples)
    if curve:
        along = np.geomspace(sizes[0], sizes[-1], 50)
        label = f"{curve.fixed:.1f} s + {1000 * curve.each:.0f} ms · n^{curve.exponent:.2f}"
        ax.plot(along, [curve.seconds(size) for size in along], color=GREY, linestyle="-", label=label)
    ax.set(title="A class, with gradebook and pages", xlabel="Submissions", ylabel="s", xscale="log", yscale="log")
    ax.set_xticks(sizes, sizes)
    ax.minorticks_off()
    ax.legend(fontsize=9)
