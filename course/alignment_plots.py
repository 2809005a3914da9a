"""Plots of Lecture 3: warps, states over time, likelihoods, and who is mistaken for whom.

In the style of :mod:`course.plotting`: each function draws on ``ax``, or on new axes, and returns them.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from course.plotting import BLUE, GREY, INK, ORANGE, panels, plot_spectrogram

HOP_SECONDS = 0.01  # from one frame of course.features to the next


def plot_warp(
    costs, paths: Mapping[str, np.ndarray], names: tuple[str, str] = ("first", "second"), ax: Axes | None = None
) -> Axes:
    """Costs of all pairs of frames as a picture, and paths through it.

    Args:
        costs: ``(n_rows, n_columns)`` distances.
        paths: label to path, ``(n_cells, 2)``.
        names: of the sequence that runs upwards and of the one that runs to the right.
    """
    ax = panels(height=3.6) if ax is None else ax
    extent = (0, HOP_SECONDS * costs.shape[1], 0, HOP_SECONDS * costs.shape[0])
    picture = ax.imshow(costs, origin="lower", aspect="auto", extent=extent, cmap="gray_r")
    for (label, path), colour in zip(paths.items(), (ORANGE, BLUE), strict=False):
        rows, columns = HOP_SECONDS * (np.asarray(path).T + 0.5)
        ax.plot(columns, rows, color=colour, linewidth=2.2, label=label)
    ax.grid(False)
    ax.set(xlabel=f"{names[1]} (s)", ylabel=f"{names[0]} (s)")
    ax.figure.colorbar(picture, ax=ax, label="Distance of two frames")
    if len(paths) > 1:
        ax.legend(loc="upper left")
    return ax


def plot_states(signal, sample_rate: float, states, ax: Axes | None = None) -> Axes:
    """A spectrogram with a line wherever the state changes, and each state's number.

    Args:
        signal: ``(n_samples,)`` at ``sample_rate``, Hz.
        states: ``(n_frames,)`` the state of each frame, a frame every 10 ms.
    """
    ax = plot_spectrogram(signal, sample_rate, ax)
    states = np.asarray(states)
    borders = HOP_SECONDS * (np.flatnonzero(np.diff(states)) + 0.5)
    ax.vlines(borders, 0, sample_rate / 2, color="#ffffff", linewidth=1.4)
    edges = np.concatenate([[0], borders, [len(signal) / sample_rate]])
    for left, right, state in zip(
        edges, edges[1:], states[np.r_[0, np.flatnonzero(np.diff(states)) + 1]], strict=False
    ):
        ax.text((left + right) / 2, 0.46 * sample_rate, str(state + 1), color="#ffffff", ha="center", va="center")
    return ax


def plot_occupancy(probabilities, states, ax: Axes | None = None) -> Axes:
    """The probability of each state over time, and the best path.

    Args:
        probabilities: ``(n_frames, n_states)``, rows sum to 1.
        states: ``(n_frames,)`` the best path.
    """
    ax = panels(height=2.6) if ax is None else ax
    n_frames, n_states = probabilities.shape
    extent = (0, HOP_SECONDS * n_frames, 0.5, n_states + 0.5)
    picture = ax.imshow(probabilities.T, origin="lower", aspect="auto", extent=extent, cmap="gray_r", vmin=0, vmax=1)
    times = HOP_SECONDS * (np.arange(n_frames) + 0.5)
    ax.step(times, np.asarray(states) + 1, where="mid", color=ORANGE, linewidth=1.5, linestyle="-", label="best path")
    ax.grid(False)
    ax.set(xlabel="Time (s)", ylabel="State", yticks=np.arange(1, n_states + 1))
    ax.legend(loc="upper left")
    ax.figure.colorbar(picture, ax=ax, label="Probability")
    return ax


def plot_confusions(counts, words: Sequence[str], ax: Axes | None = None) -> Axes:
    """How often each word, a row, was taken for which, a column; a number where it happened.

    Args:
        counts: ``(n_words, n_words)`` int.
        words: names of rows and columns.
    """
    ax = panels(height=4.2) if ax is None else ax
    counts = np.asarray(counts)
    wrong = counts * ~np.eye(len(counts), dtype=bool)
    ax.imshow(wrong, cmap="gray_r", vmin=0, vmax=2.2 * max(1, wrong.max()))
    for (row, column), count in np.ndenumerate(counts):
        if count:
            colour = GREY if row == column else INK
            ax.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=8)
    ax.grid(False)
    ax.set_xticks(np.arange(len(words)), words, rotation=60)
    ax.set_yticks(np.arange(len(words)), words)
    ax.set(xlabel="Recognised as", ylabel="Said")
    return ax


def plot_accuracies(rows: Mapping[str, Mapping[str, tuple[float, float, float]]], ax: Axes | None = None) -> Axes:
    """Accuracies with their intervals, a row of dots for each condition and a shape for each system.

    Args:
        rows: system to condition to (accuracy, low, high), each from 0 to 1; every system has the same conditions.
    """
    conditions = list(next(iter(rows.values())))
    ax = panels(height=0.9 + 0.42 * len(conditions)) if ax is None else ax
    places = np.arange(len(conditions))[::-1]
    for number, (system, values) in enumerate(rows.items()):
        middle, low, high = 100 * np.array([values[condition] for condition in conditions]).T
        shift = 0.24 * ((len(rows) - 1) / 2 - number)
        whiskers = {"xerr": [middle - low, high - middle], "capsize": 2.5, "linewidth": 1.2}
        ax.errorbar(middle, places + shift, **whiskers, fmt="osD^v"[number], markersize=5, label=system)
    ax.set_yticks(places, conditions)
    ax.set(xlabel="Words recognised (%)", ylim=(-0.6, len(conditions) - 0.4))
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0)
    return ax
