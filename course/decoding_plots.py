"""Error rates drawn, and said, with their intervals (Lecture 4)."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes

from course.plotting import BLUE, INK, panels
from course.scoring import align_words, bootstrap_interval

Systems = Mapping[str, tuple[Sequence[str], Sequence[str]]]  # name to what was said and what was recognised


def plot_error_rates(systems: Systems, ax: Axes | None = None) -> Axes:
    """Word error rate of each system as a dot, with its 95 % bootstrap interval as a line, from top to bottom.

    Args:
        systems: name to what was said and what was recognised, one text per utterance each.

    Raises:
        ValueError: no systems, or not as many texts recognised as said.
    """
    if not systems:
        raise ValueError("At least one system was expected to draw, and none came.")
    ax = panels(height=0.9 + 0.42 * len(systems)) if ax is None else ax
    for row, (said, recognised) in enumerate(systems.values()):
        rate, low, high = _rate_and_interval(said, recognised)
        ax.plot([low, high], [row, row], color=BLUE, linestyle="-", linewidth=2.5)
        ax.plot(rate, row, "o", color=BLUE, markersize=7)
        ax.text(high, row, f"  {rate:.0f} %", va="center", color=INK)
    ax.set(xlabel="Word error rate (%), with 95 % interval", xlim=(0, None), yticks=range(len(systems)))
    ax.set_yticklabels(list(systems))
    ax.set_ylim(len(systems) - 0.4, -0.6)
    ax.grid(axis="y", visible=False)
    return ax


def error_rates_said(systems: Systems) -> str:
    """What :func:`plot_error_rates` shows, as a sentence for whoever cannot see it."""
    rates = ((name, _rate_and_interval(*texts)) for name, texts in systems.items())
    said = (f"{name} {rate:.0f} per cent, between {low:.0f} and {high:.0f}" for name, (rate, low, high) in rates)
    return f"Word error rates with 95 per cent intervals: {'; '.join(said)}."


def _rate_and_interval(said: Sequence[str], recognised: Sequence[str]) -> tuple[float, float, float]:
    """In per cent."""
    alignments = [align_words(a, b) for a, b in zip(said, recognised, strict=True)]
    errors, words = [a.errors for a in alignments], [a.n_words for a in alignments]
    low, high = bootstrap_interval(errors, words)
    return 100 * sum(errors) / sum(words), 100 * low, 100 * high
