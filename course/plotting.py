"""Plots of the course: one style, labelled axes with units, a description for whoever cannot see them (Lecture 1).

Importing this module sets the style for all of Matplotlib, so that a line which a cell adds by itself looks the same.
Every ``plot_*`` function draws on ``ax``, or on new axes if there is none, and returns the axes. A cell ends in
:func:`described`, which turns the figure into SVG with an alternative text.

Lines differ in colour *and* in dash pattern, so that they can be told apart in grey and by colour-blind readers. Each
colour has a contrast of at least 3:1 on the white page and on the dark one.
"""

import html
import io
from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from course.levels import decibels
from course.sampling import as_signal, check_sample_rate
from course.spectrum import amplitude_spectrum, bin_frequencies, spectrogram

INK, GRID = "#1f2933", "#d5dbe1"  # the site's renderer exchanges exactly these two for the dark page
BLUE, ORANGE, GREEN, PURPLE, GREY = LINES = ("#1f77b4", "#d55e00", "#16936c", "#b15b9c", "#7b8794")
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
COLUMNS = 1200  # of a waveform: more than a page shows
QUIETEST_DB = -100.0  # floor of level axes: below the noise of 16-bit audio

STYLE = {
    "figure.figsize": (5.6, 2.4),
    "figure.constrained_layout.use": True,
    "font.family": "DejaVu Sans",
    "font.size": 10.5,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.prop_cycle": cycler(color=LINES, linestyle=DASHES),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "lines.linewidth": 1.5,
    "legend.frameon": False,
    "legend.fontsize": 9.5,
    "image.cmap": "magma",
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "svg.fonttype": "path",
    "svg.hashsalt": "from-waveform-to-cloud",  # the same figure is the same bytes
    **dict.fromkeys(
        ("text.color", "axes.edgecolor", "axes.labelcolor", "axes.titlecolor", "xtick.color", "ytick.color"), INK
    ),
}
plt.rcParams.update(STYLE)  # also for what a cell draws without the functions below


class Described:
    """A finished figure, as SVG, with the text that stands for it where it cannot be seen.

    Args:
        figure: closed once it is drawn.
        alt: one or two sentences that say what the figure shows.

    Raises:
        ValueError: ``alt`` is empty.
    """

    def __init__(self, figure: Figure, alt: str):
        if not alt.strip():
            raise ValueError(
                "A figure was expected with a description and came without. Say in a sentence what one sees in it."
            )
        self.alt = alt
        self.svg = _svg(figure, alt)
        plt.close(figure)

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return {"image/svg+xml": self.svg, "text/plain": self.alt}


def described(drawing: Axes | Figure | np.ndarray, alt: str) -> Described:
    """Finish a figure and describe it; the last expression of a plotting cell.

    Args:
        drawing: axes, an array of axes of one figure, or the figure.
        alt: what one sees, in one or two sentences.
    """
    if isinstance(drawing, Figure):
        return Described(drawing, alt)
    first = drawing if isinstance(drawing, Axes) else np.ravel(np.asarray(drawing, dtype=object))[0]
    return Described(first.figure, alt)


def _svg(figure: Figure, alt: str) -> str:
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    svg = text.getvalue()
    label = f'<svg role="img" aria-label="{html.escape(alt, quote=True)}" '
    return svg[svg.index("<svg ") :].replace("<svg ", label, 1)


def panels(rows: int = 1, columns: int = 1, height: float = 2.4, **options):
    """New axes in the course's style: like ``plt.subplots``, and returns only the axes.

    Args:
        rows, columns: of the grid of panels.
        height: of the whole figure, inches; the width is that of the page.
        options: for :func:`matplotlib.pyplot.subplots`, for example ``sharex=True``.

    Returns:
        One ``Axes``, or an array of them, ``(n,)`` for one row or column and ``(rows, columns)`` otherwise.
    """
    width = STYLE["figure.figsize"][0]
    return plt.subplots(rows, columns, figsize=(width, height), **options)[1]


def plot_waveform(signal, sample_rate: float, ax: Axes | None = None, **line) -> Axes:
    """Amplitude over time.

    Args:
        signal: ``(n_samples,)`` real samples.
        sample_rate: samples per second, Hz.
        line: for :meth:`matplotlib.axes.Axes.plot`, for example ``label``.
    """
    samples, ax = as_signal(signal), _axes(ax)
    check_sample_rate(sample_rate)
    times, values = _outline(samples)
    ax.plot(times / sample_rate, values, **{"linewidth": 0.9, **line})
    ax.set(xlabel="Time (s)", ylabel="Amplitude", xlim=(0, samples.size / sample_rate))
    ax.locator_params(axis="x", nbins=6)
    return ax


def plot_samples(signal, sample_rate: float, ax: Axes | None = None, **line) -> Axes:
    """Single samples as dots on stems over time in milliseconds: for a few dozen of them.

    Args:
        signal: ``(n_samples,)`` real samples.
        sample_rate: samples per second, Hz.
        line: for the dots, for example ``label`` and ``color``.
    """
    samples, ax = as_signal(signal), _axes(ax)
    check_sample_rate(sample_rate)
    times = 1000 * np.arange(samples.size) / sample_rate
    dots = ax.plot(times, samples, **{"linestyle": "none", "marker": "o", "markersize": 4, **line})[0]
    ax.vlines(times, 0, samples, color=dots.get_color(), linewidth=0.8)
    ax.set(xlabel="Time (ms)", ylabel="Amplitude")
    return ax


def plot_spectrum(signal, sample_rate: float, ax: Axes | None = None, **line) -> Axes:
    """Level over frequency of one Hann-windowed frame: the whole signal.

    A sine of amplitude 1 whose frequency falls on a bin reads 0 dB.

    Args:
        signal: ``(n_samples,)`` real samples.
        sample_rate: samples per second, Hz.
        line: for :meth:`matplotlib.axes.Axes.plot`, for example ``label``.
    """
    samples, ax = as_signal(signal), _axes(ax)
    frequencies = bin_frequencies(samples.size, sample_rate)
    ax.plot(frequencies, _levels(amplitude_spectrum(samples)), **{"linewidth": 1.1, **line})
    ax.set(xlabel="Frequency (Hz)", ylabel="Level (dB)", xlim=(0, sample_rate / 2))
    return ax


def plot_spectrogram(
    signal, sample_rate: float, ax: Axes | None = None, n_fft: int = 256, hop_length: int = 64, range_db: float = 70
) -> Axes:
    """Level over time and frequency: spectra of Hann-windowed frames, side by side.

    Args:
        signal: ``(n_samples,)`` real samples.
        sample_rate: samples per second, Hz.
        n_fft: samples per frame; frequency rows are ``sample_rate / n_fft`` Hz apart.
        hop_length: samples from one frame to the next.
        range_db: what lies further than this below the loudest cell has the darkest colour.
    """
    ax = _axes(ax)
    picture = _draw_spectrogram(ax, signal, sample_rate, n_fft, hop_length)
    _colour_from([picture], range_db)
    ax.figure.colorbar(picture, ax=ax, label="Level (dB)")
    return ax


def compare_spectrograms(
    signals: Mapping[str, np.ndarray],
    sample_rate: float,
    n_fft: int = 256,
    hop_length: int = 64,
    range_db: float = 70,
) -> np.ndarray:
    """Spectrograms one below the other in the same colours, each under its title.

    Args:
        signals: title to signal ``(n_samples,)``; all at ``sample_rate``, Hz.
        n_fft, hop_length, range_db: as for :func:`plot_spectrogram`.

    Returns:
        The axes, ``(len(signals),)``.
    """
    axes = np.atleast_1d(panels(len(signals), height=0.6 + 1.35 * len(signals), sharex=True))
    pictures = []
    for ax, (title, signal) in zip(axes, signals.items(), strict=True):
        pictures.append(_draw_spectrogram(ax, signal, sample_rate, n_fft, hop_length))
        ax.set(title=title)
        ax.label_outer()
    _colour_from(pictures, range_db)
    axes[0].figure.colorbar(pictures[0], ax=axes, label="Level (dB)")
    return axes


def plot_response(frequencies, response, ax: Axes | None = None, **line) -> Axes:
    """Gain of a filter over frequency.

    Args:
        frequencies: ``(n,)`` Hz, rising.
        response: ``(n,)`` complex or magnitude; 1 is 0 dB.
        line: for :meth:`matplotlib.axes.Axes.plot`, for example ``label``.
    """
    ax = _axes(ax)
    ax.plot(frequencies, _levels(np.abs(response)), **line)
    ax.set(xlabel="Frequency (Hz)", ylabel="Gain (dB)", xlim=(frequencies[0], frequencies[-1]))
    return ax


def _axes(ax: Axes | None) -> Axes:
    return panels() if ax is None else ax


def _draw_spectrogram(ax: Axes, signal, sample_rate: float, n_fft: int, hop_length: int) -> AxesImage:
    check_sample_rate(sample_rate)
    level = _levels(spectrogram(signal, n_fft, hop_length))
    extent = (0, len(signal) / sample_rate, 0, sample_rate / 2)
    picture = ax.imshow(level, origin="lower", aspect="auto", extent=extent)
    ax.grid(False)
    ax.set(xlabel="Time (s)", ylabel="Frequency (Hz)")
    return picture


def _colour_from(pictures: list[AxesImage], range_db: float) -> None:
    """Give all pictures one scale of colours: ``range_db`` below the loudest cell of any."""
    loudest = max(picture.get_array().max() for picture in pictures)
    for picture in pictures:
        picture.set_clim(loudest - range_db, loudest)


def _outline(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions and values to draw: all of a short signal, of a long one the lowest and highest of each column."""
    per_column = samples.size // COLUMNS
    if per_column <= 2:
        return np.arange(samples.size), samples
    whole = samples[: samples.size // per_column * per_column].reshape(-1, per_column)
    positions = np.repeat(np.arange(len(whole)) * per_column, 2) + np.tile([0, per_column // 2], len(whole))
    return positions, np.stack([whole.min(axis=1), whole.max(axis=1)], axis=1).ravel()


def _levels(amplitude: np.ndarray) -> np.ndarray:
    """Decibels that stop at the floor of the level axes."""
    return np.maximum(decibels(amplitude), QUIETEST_DB)
