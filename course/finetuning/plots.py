"""Drawings of changes, rank sweeps and forgetting, in the course's style (Lecture 9)."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.axes import Axes

from course.finetuning.lora import LoraLinear
from course.plotting import GREY, panels


def plot_singular_values(adapter: LoraLinear, ax: Axes | None = None) -> Axes:
    """How strong each direction of a layer and of its change is, strongest first, both on one logarithmic scale."""
    ax = panels() if ax is None else ax
    for matrix, name in ((adapter.base.weight, "the layer"), (adapter.update(), "its change")):
        values = torch.linalg.svdvals(matrix.detach().float())
        kept = values[values > 1e-5 * values[0]].numpy()
        ax.plot(np.arange(1, len(kept) + 1), kept, "-", marker="o", markersize=3, label=name)
    ax.set(xlabel="Direction", ylabel="Singular value", xscale="log", yscale="log")
    ax.legend()
    return ax


def plot_ranks(curves: Mapping[str, Mapping[int, Sequence[float]]], ax: Axes | None = None) -> Axes:
    """Accuracy over rank: a line through the means of each curve, a dot for every run.

    Args:
        curves: name to rank to accuracies (shares).
    """
    ax = panels(height=2.8) if ax is None else ax
    for (name, curve), marker in zip(curves.items(), "os^D", strict=False):
        means = [100 * np.mean(runs) for runs in curve.values()]
        line = ax.plot(list(curve), means, label=name)[0]
        dots = [(rank, 100 * run) for rank, runs in curve.items() for run in runs]
        ax.plot(*np.transpose(dots), marker, color=line.get_color(), linestyle="none", markersize=5)
    ax.set(xlabel="Rank", ylabel="Accuracy (%)", xscale="log")
    ranks = sorted({rank for curve in curves.values() for rank in curve})
    ax.set_xticks(ranks, [str(rank) for rank in ranks])
    ax.minorticks_off()
    ax.legend()
    return ax


def plot_forgetting(points: Mapping[str, Sequence[tuple[float, float]]], before: float, ax: Axes | None = None) -> Axes:
    """What was learned against what was forgotten: one mark for every run.

    Args:
        points: name to pairs of accuracy (share) and loss on general text (nats a token).
        before: that loss before training.
    """
    ax = panels(height=2.8) if ax is None else ax
    for (name, runs), marker in zip(points.items(), "os^D", strict=False):
        accuracy, loss = np.transpose(runs)
        ax.plot(100 * accuracy, loss, marker, linestyle="none", markersize=6, label=name)
    ax.axhline(before, color=GREY, linewidth=1, linestyle="--", label="before training")
    ax.set(xlabel="Accuracy on the task (%)", ylabel="Loss on general text\n(nats a token)", yscale="log")
    most = max(loss for runs in points.values() for _, loss in runs)
    ticks = [tick for tick in (3, 4, 6, 8, 12, 16) if tick <= 1.2 * most]
    ax.set_yticks(ticks, [str(tick) for tick in ticks])
    ax.minorticks_off()
    ax.legend()
    return ax
