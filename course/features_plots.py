"""Pictures of features, pitch and voice activity, in the style of :mod:`course.plotting` (Lecture 2)."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from course.features.transform import HOP_SECONDS
from course.plotting import GREY, LINES, panels
from course.spectrum import bin_frequencies
from course.voice_activity import segments


def plot_features(
    features, ax: Axes | None = None, name: str = "Band", level: str = "ln energy", hop_seconds: float = HOP_SECONDS
) -> Axes:
    """Features over time as colours.

    Args:
        features: ``(n_frames, n_features)``.
        name: of the features, for the axis.
        level: what the colours stand for.
        hop_seconds: from one frame to the next.
    """
    ax = panels() if ax is None else ax
    features = np.asarray(features, dtype=np.float64)
    n_frames, n_features = features.shape
    extent = (-hop_seconds / 2, (n_frames - 0.5) * hop_seconds, -0.5, n_features - 0.5)
    picture = ax.imshow(features.T, origin="lower", aspect="auto", extent=extent)
    ax.grid(False)
    ax.set(xlabel="Time (s)", ylabel=name)
    ax.figure.colorbar(picture, ax=ax, label=level)
    return ax


def plot_filter_bank(bank, sample_rate: float, ax: Axes | None = None) -> Axes:
    """The bands of a filter bank over frequency, their weights in alternating colours.

    Args:
        bank: ``(n_bands, n_bins)``.
        sample_rate: Hz.
    """
    ax = panels() if ax is None else ax
    frequencies = bin_frequencies(2 * (bank.shape[1] - 1), sample_rate)
    for band, weights in enumerate(bank):
        colour, dash = (LINES[0], "-") if band % 2 == 0 else (LINES[1], "--")
        ax.plot(frequencies, weights, color=colour, linestyle=dash, linewidth=1)
    ax.set(xlabel="Frequency (Hz)", ylabel="Weight", xlim=(0, sample_rate / 2), ylim=(0, 1.05))
    return ax


def plot_pitch(tracks: Mapping[str, np.ndarray], ax: Axes | None = None, hop_seconds: float = HOP_SECONDS) -> Axes:
    """Pitch over time, one mark for each frame that has one; the frequency axis is logarithmic.

    Args:
        tracks: title to ``(n_frames,)`` Hz, NaN where there is none.
        hop_seconds: from one frame to the next.
    """
    ax = panels() if ax is None else ax
    marks = ("o", "x", "^", "s")
    for number, (title, pitch) in enumerate(tracks.items()):
        times = hop_seconds * np.arange(len(pitch))
        mark, colour = marks[number % len(marks)], LINES[number % len(LINES)]
        ax.plot(times, pitch, linestyle="none", marker=mark, markersize=3.2, color=colour, label=title)
    ax.set_yscale("log")
    ax.set(xlabel="Time (s)", ylabel="Pitch (Hz)")
    ticks = [80, 100, 150, 200, 300, 400]
    ax.set_yticks(ticks, [str(tick) for tick in ticks])
    ax.minorticks_off()
    return ax


def plot_activity(answers: Mapping[str, np.ndarray], ax: Axes | None = None, hop_seconds: float = HOP_SECONDS) -> Axes:
    """Stretches of speech as bars, one row for each answer, the first on top.

    Args:
        answers: title to ``(n_frames,)`` bool.
        hop_seconds: from one frame to the next.
    """
    ax = panels(height=0.7 + 0.35 * len(answers)) if ax is None else ax
    for row, active in enumerate(answers.values()):
        bars = [(start, end - start) for start, end in segments(active, hop_seconds)]
        ax.broken_barh(bars, (-row - 0.35, 0.7), color=GREY if row == 0 else LINES[(row - 1) % len(LINES)])
    ax.set_yticks(-np.arange(len(answers)), list(answers))
    ax.set(xlabel="Time (s)")
    ax.grid(False, axis="y")
    return ax
