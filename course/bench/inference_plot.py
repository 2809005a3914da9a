"""The figure of ``course bench inference``: ratios with their bars, and attention over length."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from course.bench.inference_attention import FUNCTIONS, quantity
from course.bench.inference_findings import FUSED, INT8, TORCH, Findings
from course.bench.inference_settings import CACHE, GENERATION
from course.bench.record import Record
from course.plotting import BLUE, DASHES, GREY, LINES, panels

BARS = {"eager over uncached": 3.0, f"{FUSED} over {TORCH}": 1.6} | {f"{name} over {TORCH}": 3.0 for name in INT8}


def draw(record: Record) -> Figure:
    """Both panels; one without samples says so."""
    above, below = panels(2, 1, height=6.0)
    plot_ratios(record.findings, above)
    plot_attention(record, below)
    return above.figure


def plot_ratios(findings: Findings, ax: Axes | None = None) -> Axes:
    """How many times faster the whole answer is than another variant's, with 95 % intervals, and the bars."""
    ax = panels() if ax is None else ax
    chosen = [
        one
        for one in findings.get("ratios", ())
        if one["low"] is not None
        and one["record"].partition(" ")[0] in (CACHE, GENERATION)
        and (one["ratio"] in BARS or one["ratio"].endswith(f" over {TORCH}"))
    ]
    if not chosen:
        ax.text(0.5, 0.5, "too few samples for an interval", ha="center", va="center", transform=ax.transAxes)
        ax.set_axis_off()
        return ax
    for place, one in enumerate(chosen):
        refused = one["value"] is None
        middle = (one["low"] * one["high"]) ** 0.5 if refused else one["value"]
        reach = [[middle - one["low"]], [one["high"] - middle]]
        ax.errorbar(middle, place, xerr=reach, fmt="o", color=GREY if refused else BLUE, markersize=5, capsize=3)
        if one["ratio"] in BARS:
            ax.vlines(BARS[one["ratio"]], place - 0.4, place + 0.4, color=LINES[1])
    ax.set_yticks(range(len(chosen)), [one["ratio"] for one in chosen])
    ax.invert_yaxis()
    ax.axvline(1.0, color=GREY, linewidth=1, linestyle=":")
    ax.set(xlabel="Times faster, 95 % (upright: the bar)", xlim=(0, None))
    return ax


def plot_attention(record: Record, ax: Axes | None = None) -> Axes:
    """Median time of a call over length, for each function."""
    ax = panels() if ax is None else ax
    lengths = sorted({sample.size for sample in record.samples if sample.quantity == quantity(sample.size or 0)})
    if not lengths:
        ax.text(0.5, 0.5, "attention alone was not measured", ha="center", va="center", transform=ax.transAxes)
        ax.set_axis_off()
        return ax
    for name, colour, dashes, marker in zip(FUNCTIONS, LINES, DASHES, "osD", strict=False):
        middles = {one.quantity: one.median for one in record.estimates if one.variant == name}
        times = [1e3 * middles[quantity(length)] for length in lengths]
        ax.plot(lengths, times, marker=marker, markersize=5, color=colour, linestyle=dashes, label=name)
    ax.set(xlabel="Length (positions)", ylabel="A call (ms)", xscale="log", yscale="log")
    ax.set_xticks(lengths, [f"{length:,}" for length in lengths])
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.legend()
    return ax
