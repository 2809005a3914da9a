"""Plots of tokens, attention, losses, caches and distributions (Lecture 7), in the style of `course.plotting`."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from course.language.calibration import Calibration
from course.plotting import BLUE, DASHES, GREEN, GREY, INK, LINES, ORANGE, panels

MARKERS = ("o", "s", "^", "D", "v")


def plot_tokens(rows: Mapping[str, Sequence[str]], ax: Axes | None = None) -> Axes:
    """Texts cut into tokens: a box for each, as wide as its letters.

    Args:
        rows: label to the tokens of a text, as one reads them; spaces are drawn as low dots.
    """
    ax = panels(height=0.5 + 0.55 * len(rows)) if ax is None else ax
    widest = 0.0
    for y, tokens in enumerate(rows.values()):
        x = 0.0
        for number, token in enumerate(tokens):
            width = len(token) + 0.6
            face = (LINES[0], LINES[1])[number % 2]
            ax.barh(y, width, 0.7, left=x, color=face, alpha=0.25, edgecolor=face, linewidth=1.0)
            shown = token.replace(" ", "·").replace("\n", "⏎")
            ax.text(x + width / 2, y, shown, ha="center", va="center", fontsize=9, family="DejaVu Sans Mono")
            x += width
        widest = max(widest, x)
    ax.set_yticks(range(len(rows)), [f"{label}: {len(tokens)}" for label, tokens in rows.items()])
    ax.set(ylim=(len(rows) - 0.4, -0.6), xlim=(0, widest), xticks=[])
    ax.grid(False)
    ax.spines[["bottom", "left"]].set_visible(False)
    return ax


def plot_vocabulary(
    sizes: Sequence[int], tokens_a_call: Sequence[float], others: Mapping[str, tuple[int, float]], ax=None
):
    """Tokens that a call takes over the size of the vocabulary.

    Args:
        sizes, tokens_a_call: ``(n,)`` of tokenizers trained on calls.
        others: label to the vocabulary and the tokens a call of other tokenizers.
    """
    ax = panels(height=2.8) if ax is None else ax
    ax.plot(sizes, tokens_a_call, "o-", markersize=4, label="trained on calls")
    for (label, (size, count)), marker, colour in zip(others.items(), MARKERS[1:], LINES[1:], strict=False):
        ax.plot([size], [count], marker, color=colour, markersize=7, label=label)
    ax.set_xscale("log", base=2)
    ax.set(xlabel="Tokens in the vocabulary", ylabel="Tokens a call", ylim=(0, None))
    ax.legend()
    return ax


def plot_attention(weights, tokens: Sequence[str], ax: Axes | None = None) -> Axes:
    """Who looks at whom: one head's weights as a picture, a row for each token that looks.

    Args:
        weights: ``(n, n)``, rows sum to 1.
        tokens: ``(n,)`` as one reads them.
    """
    ax = panels(height=3.4) if ax is None else ax
    ax.imshow(np.asarray(weights), vmin=0, vmax=1, cmap="Blues", interpolation="none")
    ax.set_xticks(range(len(tokens)), tokens, rotation=90, fontsize=8)
    ax.set_yticks(range(len(tokens)), tokens, fontsize=8)
    ax.grid(False)
    return ax


def plot_weights(weights: Mapping[str, Sequence[float]], tokens: Sequence[str], ax: Axes | None = None) -> Axes:
    """How one token shares out its attention, in several heads, as bars side by side.

    Args:
        weights: label to ``(n,)`` weights that sum to 1.
        tokens: ``(n,)`` as one reads them.
    """
    ax = panels(height=2.6) if ax is None else ax
    width = 0.8 / len(weights)
    hatches = ("", "//", "..", "xx")
    for number, (label, values) in enumerate(weights.items()):
        places = np.arange(len(tokens)) + (number - (len(weights) - 1) / 2) * width
        ax.bar(
            places,
            values,
            width,
            label=label,
            color=LINES[number % 5],
            hatch=hatches[number % 4],
            edgecolor=INK,
            linewidth=0.4,
        )
    ax.set_xticks(range(len(tokens)), tokens, rotation=45, ha="right", fontsize=9)
    ax.set(ylabel="Share of attention", ylim=(0, 1))
    ax.legend()
    return ax


def plot_losses(losses: Sequence[float], levels: Mapping[str, float] | None = None, ax: Axes | None = None) -> Axes:
    """The loss of each training step, and losses of other models as lines across.

    Args:
        losses: ``(n,)`` nats a token.
        levels: label to nats a token.
    """
    ax = panels(height=2.6) if ax is None else ax
    ax.plot(1 + np.arange(len(losses)), losses, linewidth=1.0)
    for number, (label, level) in enumerate((levels or {}).items(), start=1):
        ax.axhline(level, color=LINES[number], linestyle=DASHES[number], linewidth=1.2)
        ax.text(len(losses), level, label, ha="right", va="bottom", fontsize=9)
    ax.set(xlabel="Step", ylabel="Loss (nats a token)", ylim=(0, None), xlim=(0, len(losses)))
    return ax


def plot_bits(table: Mapping[str, Sequence[float]], groups: Sequence[str], ax: Axes | None = None) -> Axes:
    """Bits per byte of several models on several groups of text, one row for each model.

    Args:
        table: model to ``(len(groups),)`` bits per byte.
        groups: what the columns are.
    """
    ax = panels(height=0.9 + 0.5 * len(table)) if ax is None else ax
    for number, group in enumerate(groups):
        values = [row[number] for row in table.values()]
        ax.plot(values, range(len(table)), MARKERS[number], color=LINES[number], markersize=8, label=group)
    for y, row in enumerate(table.values()):
        ax.plot([min(row), max(row)], [y, y], "-", color=GREY, linewidth=1.0, zorder=0)
    ax.set_yticks(range(len(table)), list(table))
    ax.set(xlabel="Bits per byte", xlim=(0, None), ylim=(len(table) - 0.5, -0.5))
    ax.legend(loc="upper center", bbox_to_anchor=(0.4, -0.25), ncols=len(groups))
    return ax


def plot_step_times(
    lengths: Sequence[int], times: Mapping[str, Sequence[Sequence[float]]], ax: Axes | None = None
) -> Axes:
    """Time of one more token over the length of the text so far: median, and each trial as a dot.

    Args:
        lengths: ``(n,)`` tokens.
        times: label to the seconds of the trials at each length.
    """
    ax = panels(height=2.6) if ax is None else ax
    for number, (label, trials) in enumerate(times.items()):
        colour, marker = LINES[number], MARKERS[number]
        ax.plot(lengths, [1000 * np.median(row) for row in trials], linestyle=DASHES[number], color=colour, label=label)
        for length, row in zip(lengths, trials, strict=True):
            ax.plot([length] * len(row), 1000 * np.asarray(row), marker, color=colour, markersize=3.5)
    ax.set(xlabel="Tokens so far", ylabel="CPU time (ms a token)", ylim=(0, None), xlim=(0, None))
    ax.legend()
    return ax


def plot_cache_sizes(lengths, sizes: Mapping[str, tuple[Sequence[float], float]], ax: Axes | None = None) -> Axes:
    """Memory of a cache over the tokens in it, and that of the model's weights as a level line.

    Args:
        lengths: ``(n,)`` tokens, all texts of a batch together.
        sizes: label to the bytes of the cache ``(n,)``, and those of the weights.
    """
    ax = panels(height=3.0) if ax is None else ax
    for number, (label, (cached, weights)) in enumerate(sizes.items()):
        ax.loglog(lengths, np.asarray(cached) / 1e9, color=LINES[number], linestyle=DASHES[0], label=f"{label}, cache")
        ax.axhline(weights / 1e9, color=LINES[number], linestyle=DASHES[1], linewidth=1.0, label=f"{label}, weights")
    ax.set(xlabel="Tokens in the cache", ylabel="Memory (GB)")
    ax.legend(fontsize=9)
    return ax


def plot_errors(errors: Mapping[str, Sequence[float]], ax: Axes | None = None) -> Axes:
    """How far logits are from what they should be, token by token, on a logarithmic axis.

    Args:
        errors: label to ``(n,)`` relative distances; those below 1e-8, which float32 cannot tell from 0, stand there.
    """
    ax = panels(height=2.6) if ax is None else ax
    for number, (label, values) in enumerate(errors.items()):
        ax.semilogy(
            1 + np.arange(len(values)),
            np.maximum(values, 1e-8),
            MARKERS[number],
            markersize=4,
            color=LINES[number],
            label=label,
        )
    ax.set(xlabel="Token of the answer", ylabel="Relative error of the logits")
    ax.legend()
    return ax


def plot_chances(probabilities: Sequence[float], tokens: Sequence[str], ax: Axes | None = None) -> Axes:
    """The probability of each token that was chosen, over its place in the text; line breaks are marked.

    Args:
        probabilities: ``(n,)``.
        tokens: ``(n,)`` as one reads them.
    """
    ax = panels(height=2.4) if ax is None else ax
    ax.plot(1 + np.arange(len(tokens)), probabilities, ".-", linewidth=1.0)
    for place, token in enumerate(tokens, start=1):
        if "\n" in token:
            ax.axvline(place, color=GREY, linewidth=1.0, linestyle=DASHES[1])
    ax.set(xlabel="Token of the text (dashed: a new line)", ylabel="Probability", ylim=(0, 1.05))
    return ax


def plot_distributions(rows: Mapping[str, Sequence[float]], tokens: Sequence[str], ax=None) -> np.ndarray:
    """What is left of a distribution after several filters: bars one below the other, the same tokens in each.

    Args:
        rows: label to ``(n,)`` probabilities of the tokens shown.
        tokens: ``(n,)`` as one reads them.

    Returns:
        The axes, ``(len(rows),)``.
    """
    ax = np.atleast_1d(panels(len(rows), height=0.7 + 0.95 * len(rows), sharex=True) if ax is None else ax)
    most = max(max(values) for values in rows.values())
    for axes, (label, values) in zip(ax, rows.items(), strict=True):
        axes.bar(range(len(tokens)), values, color=BLUE)
        rest = 1 - sum(values)
        axes.set_title(
            f"{label}; {int(np.sum(np.asarray(values) > 0))} of these {len(tokens)}, others {100 * rest:.0f} %"
        )
        axes.set(ylim=(0, 1.08 * most))
    ax[-1].set_xticks(range(len(tokens)), tokens, rotation=45, ha="right", fontsize=9)
    ax[len(ax) // 2].set_ylabel("Probability")
    return ax


def plot_reliability(calibrations: Mapping[str, Calibration], ax: Axes | None = None, fewest: int = 20) -> Axes:
    """Share that was right over the probability that was claimed; on the diagonal, 70 % means 70 %.

    Args:
        calibrations: label to bins.
        fewest: predictions that a bin needs to be drawn.
    """
    ax = panels(height=3.6) if ax is None else ax
    ax.plot([0, 1], [0, 1], "-", color=GREY, linewidth=1.0)
    for number, (label, found) in enumerate(calibrations.items()):
        enough = found.count >= fewest
        spread = 1.96 * np.sqrt(found.accuracy * (1 - found.accuracy) / np.maximum(found.count, 1))
        low, high = np.minimum(spread, found.accuracy), np.minimum(spread, 1 - found.accuracy)
        ax.errorbar(
            found.confidence[enough],
            found.accuracy[enough],
            np.stack([low, high])[:, enough],
            fmt=MARKERS[number],
            color=(BLUE, ORANGE, GREEN)[number % 3],
            markersize=5,
            linewidth=1.0,
            label=f"{label} ({found.count.sum():,} tokens)",
        )
    ax.set(xlabel="Probability of the likeliest token", ylabel="Share that came", xlim=(0, 1), ylim=(0, 1.02))
    ax.legend()
    return ax
