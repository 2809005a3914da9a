"""Drawings of lattices, shares and alignments, in the course's style (Lecture 5)."""

from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from course.ctc.forced import Span
from course.ctc.forward_backward import sources
from course.ctc.lattice import with_blanks
from course.plotting import BLUE, GREEN, GREY, INK, ORANGE, panels

Arc = tuple[tuple[int, int], tuple[int, int]]  # from (time, state) to (time, state)


def hmm_arcs(n_states: int, n_frames: int) -> list[Arc]:
    """Left to right without skips, from the first state at frame 0 to the last at the last: stay or go on."""
    steps = [((t, s), (t + 1, s + go)) for t in range(n_frames - 1) for s in range(n_states) for go in (0, 1)]
    return _useful([arc for arc in steps if arc[1][1] < n_states], [(0, 0)], [(n_frames - 1, n_states - 1)])


def ctc_arcs(target: Sequence[int], n_frames: int) -> list[Arc]:
    """CTC's lattice: stay, go on, or skip the blank between two different labels."""
    states = with_blanks(target)
    steps = [
        ((t, source), (t + 1, s))
        for t in range(n_frames - 1)
        for s in range(len(states))
        for source in sources(states, s)
    ]
    ends = [(n_frames - 1, s) for s in range(len(states))[-2:]]
    return _useful(steps, [(0, s) for s in range(len(states))[:2]], ends)


def transducer_arcs(n_labels: int, n_frames: int) -> list[Arc]:
    """The transducer's: up writes a label and takes no time, right is a blank."""
    right = [((t, u), (t + 1, u)) for t in range(n_frames - 1) for u in range(n_labels + 1)]
    up = [((t, u), (t, u + 1)) for t in range(n_frames) for u in range(n_labels)]
    return right + up


def count_ways(arcs: Iterable[Arc], starts: Iterable, ends: Iterable) -> int:
    """Paths along arcs from any start to any end, counted by walking: another way than the closed forms."""
    ways = dict.fromkeys(starts, 1)
    for source, goal in sorted(arcs, key=lambda arc: (arc[1], arc[0])):
        ways[goal] = ways.get(goal, 0) + ways.get(source, 0)
    return sum(ways.get(end, 0) for end in ends)


def _useful(arcs: list[Arc], starts: list, ends: list) -> list[Arc]:
    """Only arcs that lie on a way from a start to an end."""
    forward, backward = set(starts), set(ends)
    for source, goal in sorted(arcs):
        forward |= {goal} if source in forward else set()
    for source, goal in sorted(arcs, reverse=True):
        backward |= {source} if goal in backward else set()
    return [arc for arc in arcs if arc[0] in forward and arc[1] in backward]


def plot_lattice(
    arcs: Sequence[Arc], names: Sequence[str], ax: Axes | None = None, path: Sequence[tuple[int, int]] = ()
) -> Axes:
    """States upwards, frames to the right, a line for every arc.

    Args:
        arcs: pairs of ``(frame, state)``.
        names: of the states, from the lowest.
        path: nodes of one way, drawn thick.
    """
    ax = panels() if ax is None else ax
    ax.add_collection(LineCollection(arcs, colors=GREY, linewidths=0.8, zorder=1))
    nodes = sorted({node for arc in arcs for node in arc})
    ax.plot(*np.array(nodes).T, "o", color=BLUE, markersize=4, linestyle="none", zorder=2)
    if len(path):
        ax.plot(*np.array(path).T, "-", color=ORANGE, linewidth=2.6, zorder=3)
    ax.set_yticks(range(len(names)), names)
    ax.set(xlabel="Frame", ylim=(-0.6, len(names) - 0.4))
    ax.grid(False)
    return ax


def plot_shares(shares, names: Sequence[str], step: float, ax: Axes | None = None) -> Axes:
    """A share between 0 and 1 for every frame and row, as a picture.

    Args:
        shares: ``(n_frames, n_rows)``.
        names: of the rows, from the lowest.
        step: seconds from one frame to the next.
    """
    ax = panels() if ax is None else ax
    shares = np.asarray(shares)
    extent = (0, len(shares) * step, -0.5, len(names) - 0.5)
    picture = ax.imshow(shares.T, origin="lower", aspect="auto", extent=extent, vmin=0, vmax=1, interpolation="none")
    ax.figure.colorbar(picture, ax=ax, label="Share")
    ax.set_yticks(range(len(names)), names)
    ax.set(xlabel="Time (s)")
    ax.grid(False)
    return ax


def plot_emissions(log_probs, names: Sequence[str], step: float, ax: Axes | None = None) -> Axes:
    """Probability of every symbol over time; each symbol is written where it peaks, the blank is grey.

    Args:
        log_probs: ``(n_frames, n_symbols)``; symbol 0 is the blank.
        names: of the symbols.
        step: seconds from one frame to the next.
    """
    ax = panels() if ax is None else ax
    probabilities = np.exp(log_probs)
    times = (np.arange(len(probabilities)) + 0.5) * step
    ax.plot(times, probabilities[:, 0], color=GREY, linestyle=":", linewidth=1.2)
    peaks = []
    for symbol in range(1, probabilities.shape[1]):
        curve = probabilities[:, symbol]
        if curve.max(initial=0) > 0.3:
            ax.plot(times, curve, color=BLUE, linestyle="-", linewidth=1.2)
        higher = np.concatenate([[True], curve[1:] > curve[:-1]]) & np.concatenate([curve[:-1] >= curve[1:], [True]])
        peaks += [(times[t], names[symbol]) for t in np.flatnonzero(higher & (curve > 0.3))]
    for place, (time, name) in enumerate(sorted(peaks)):
        ax.text(time, (1.05, 1.19, 1.33)[place % 3], name, ha="center", color=INK)  # neighbours at different heights
    ax.set(xlabel="Time (s)", ylabel="Probability", ylim=(0, 1.5), xlim=(0, len(probabilities) * step))
    ax.set_yticks([0, 0.5, 1])
    return ax


def plot_words_on(
    signal, sample_rate: float, found: Sequence[Span], words: Sequence[str], truth, step: float, ax: Axes | None = None
) -> Axes:
    """A waveform with the words where an alignment put them, and where they really lie.

    Args:
        signal: ``(n_samples,)``.
        sample_rate: Hz.
        found: spans of words, in frames.
        words: their names.
        truth: pairs of onset and end in seconds.
        step: seconds from one frame to the next.
    """
    from course.plotting import plot_waveform

    ax = panels() if ax is None else ax
    top = float(np.abs(signal).max())
    for start, end in truth:
        ax.axvspan(start, end, color=GREEN, alpha=0.18, linewidth=0)
    plot_waveform(signal, sample_rate, ax, color=GREY)
    for span, word in zip(found, words, strict=True):
        ax.hlines(1.12 * top, span.start * step, span.end * step, color=ORANGE, linewidth=4)
        ax.text(span.start * step, 1.22 * top, word, color=INK)
    ax.set_ylim(-1.1 * top, 1.6 * top)
    return ax


def plot_attention(weights, names: Sequence[str], step: float, ax: Axes | None = None) -> Axes:
    """Where a decoder listened for each label; the first label at the top.

    Args:
        weights: ``(n_labels, n_frames)``; every row sums to 1.
        names: of the labels.
        step: seconds from one frame to the next.
    """
    ax = panels() if ax is None else ax
    weights = np.asarray(weights)
    extent = (0, weights.shape[1] * step, len(names) - 0.5, -0.5)
    picture = ax.imshow(weights, aspect="auto", extent=extent, vmin=0, vmax=max(0.3, weights.max(initial=0)))
    ax.figure.colorbar(picture, ax=ax, label="Weight")
    ax.set_yticks(range(len(names)), names)
    ax.set(xlabel="Time (s)")
    ax.grid(False)
    return ax


def plot_scores(scores: dict[str, dict[str, tuple[float, float, float]]], ax: Axes | None = None) -> Axes:
    """Word error rates with their intervals: a group of dots for each system, rows for speakers.

    Args:
        scores: system to row to ``(wer, low, high)`` in per cent.
    """
    ax = panels() if ax is None else ax
    rows = list(next(iter(scores.values())))
    for place, (system, by_row) in enumerate(scores.items()):
        heights = np.arange(len(rows)) + 0.16 * (place - (len(scores) - 1) / 2)
        wer, low, high = np.array([by_row[row] for row in rows]).T
        colour, marker = ((ORANGE, "s"), (BLUE, "o"), (GREEN, "^"))[place % 3]
        bars = np.abs([wer - low, high - wer])
        ax.errorbar(wer, heights, xerr=bars, fmt=marker, color=colour, markersize=5, capsize=2, label=system)
    ax.set_yticks(range(len(rows)), rows)
    ax.set(xlabel="Word error rate (%)", ylim=(len(rows) - 0.5, -0.5))
    ax.set_xlim(left=0)
    ax.legend(loc="best")
    return ax
