"""Plots of hidden frames, words over time, voices and turns (Lecture 6), in the style of `course.plotting`."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from course.diarisation import FRAME
from course.masked_prediction import FRAME as JOINED_FRAME
from course.masked_prediction import N_MELS
from course.plotting import BLUE, DASHES, GREEN, GREY, LINES, ORANGE, panels
from course.streaming import Update


def plot_hidden(frames, hidden, ax: Axes | None = None) -> Axes:
    """Log-mel frames of which some are hidden: those are blank between lines.

    Args:
        frames: ``(n_frames, 80)`` of `course.masked_prediction.frames_of`.
        hidden: ``(n_frames,)`` bool.
    """
    ax = panels() if ax is None else ax
    bands = np.asarray(frames).reshape(-1, N_MELS)
    shown = np.where(np.repeat(hidden, len(bands) // len(frames))[:, np.newaxis], np.nan, bands)
    extent = (0, len(frames) * JOINED_FRAME, 0, N_MELS)
    ax.imshow(shown.T, origin="lower", aspect="auto", extent=extent, interpolation="none")
    for border in np.flatnonzero(np.diff(np.concatenate([[0], hidden, [0]]).astype(int))) * JOINED_FRAME:
        ax.axvline(border, color=GREY, linewidth=0.8)
    ax.grid(False)
    ax.set(xlabel="Time (s)", ylabel="Mel band", xlim=(0, extent[1]))
    return ax


def plot_guesses(clusters, guesses, hidden, ax: Axes | None = None) -> Axes:
    """Cluster of every frame as a dot, and a ring where a guess for a hidden frame is right, a cross where it is wrong.

    Args:
        clusters: ``(n_frames,)`` the truth.
        guesses: ``(n_frames,)``, read where a frame is hidden.
        hidden: ``(n_frames,)`` bool.
    """
    ax = panels() if ax is None else ax
    times = (np.arange(len(clusters)) + 0.5) * JOINED_FRAME
    right = hidden & (guesses == clusters)
    wrong = hidden & ~right
    ax.plot(times, clusters, ".", color=GREY, markersize=5, label="cluster of the frame")
    ax.plot(times[right], guesses[right], "o", color=BLUE, fillstyle="none", markersize=8, label="guessed right")
    ax.plot(times[wrong], guesses[wrong], "x", color=ORANGE, markersize=6, label="guessed wrong")
    ax.set(xlabel="Time (s)", ylabel="Cluster", xlim=(0, len(clusters) * JOINED_FRAME))
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.3), ncols=3)
    return ax


def plot_words(streams: Mapping[str, list[Update]], ax: Axes | None = None) -> Axes:
    """How many words have settled, over the time that has been heard.

    Args:
        streams: label to updates.
    """
    ax = panels(height=2.8) if ax is None else ax
    for number, (label, updates) in enumerate(streams.items()):
        times = [0.0, *(update.time for update in updates)]
        words = [0, *(len(update.settled) for update in updates)]
        ax.step(times, words, where="post", color=LINES[number], linestyle=DASHES[number], label=label)
    ax.set(xlabel="Audio heard (s)", ylabel="Words settled", xlim=(0, None), ylim=(0, None))
    ax.legend(loc="upper left")
    return ax


def plot_similarities(scores, speakers: Sequence[str], ax: Axes | None = None) -> Axes:
    """Cosines between recordings that are sorted by speaker, a line between two speakers.

    Args:
        scores: ``(n, n)``.
        speakers: ``(n,)`` who speaks in each; those of one speaker side by side.
    """
    ax = panels(height=4.2) if ax is None else ax
    picture = ax.imshow(scores, vmin=0.4, vmax=1)
    borders = [place for place in range(1, len(speakers)) if speakers[place] != speakers[place - 1]]
    for border in borders:
        ax.axhline(border - 0.5, color="white", linewidth=0.8)
        ax.axvline(border - 0.5, color="white", linewidth=0.8)
    starts = [0, *borders]
    middles = [(start + end - 1) / 2 for start, end in zip(starts, [*borders, len(speakers)], strict=True)]
    ax.set_xticks(middles, [speakers[start] for start in starts], rotation=45)
    ax.set_yticks(middles, [speakers[start] for start in starts])
    ax.grid(False)
    ax.set(xlabel="Speaker", ylabel="Speaker")
    ax.figure.colorbar(picture, ax=ax, label="Cosine")
    return ax


def plot_scores(same, different, threshold: float, ax: Axes | None = None) -> Axes:
    """How the scores of same and of different speakers are spread, and the threshold between them.

    Args:
        same, different: one-dimensional scores.
        threshold: drawn as a line.
    """
    ax = panels(height=2.6) if ax is None else ax
    bins = np.linspace(min(np.min(different), np.min(same)), 1, 50)
    ax.hist(different, bins, density=True, alpha=0.6, color=ORANGE, label="two speakers")
    ax.hist(same, bins, density=True, histtype="step", linewidth=1.6, color=BLUE, label="one speaker")
    ax.axvline(threshold, color=GREY, linestyle="--", label=f"threshold {threshold:.2f}")
    ax.set(xlabel="Cosine between two recordings", ylabel="Density")
    ax.legend(loc="upper left")
    return ax


def plot_activity(rows: Mapping[str, np.ndarray], ax: Axes | None = None) -> Axes:
    """Who speaks when, as bars, one row for each speaker.

    Args:
        rows: label to ``(n_frames,)`` bool, frames of 10 ms; drawn from the top down.
    """
    ax = panels(height=0.9 + 0.35 * len(rows)) if ax is None else ax
    for place, active in enumerate(rows.values()):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], active, [0]]).astype(int))).reshape(-1, 2) * FRAME
        spans = [(start, end - start) for start, end in edges]
        ax.broken_barh(spans, (place - 0.35, 0.7), facecolors=LINES[place % len(LINES)])
    ax.set_yticks(range(len(rows)), list(rows))
    ax.invert_yaxis()
    ax.set(xlabel="Time (s)")
    ax.grid(axis="y", visible=False)
    return ax


def plot_trade_off(time_outs, cut_in, ax: Axes | None = None) -> Axes:
    """Share of callers cut off over the silence that the listener waits for.

    Args:
        time_outs: ``(n,)`` seconds.
        cut_in: ``(n,)`` share, 0 to 1.
    """
    ax = panels(height=2.6) if ax is None else ax
    ax.plot(time_outs, 100 * np.asarray(cut_in), color=BLUE)
    ax.set(xlabel="Time-out, and so the wait after every turn (s)", ylabel="Callers cut off (%)")
    ax.set(xlim=(0, None), ylim=(0, 100))
    return ax


def plot_pauses(pauses, ax: Axes | None = None) -> Axes:
    """How long the pauses within turns are.

    Args:
        pauses: ``(n,)`` seconds.
    """
    ax = panels(height=2.4) if ax is None else ax
    ax.hist(pauses, np.arange(0, max(np.max(pauses), 0.5) + 0.05, 0.05), color=GREEN, edgecolor=GREY, linewidth=0.4)
    ax.set(xlabel="Pause within a turn (s)", ylabel="How many")
    return ax
