"""The checkpoints' own scores, speaker by speaker, and what augmentation does to features, drawn (Lecture 5)."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.axes import Axes

from course.acoustic.checkpoints import facts_of
from course.acoustic.frontend import FRAME_SECONDS
from course.plotting import panels
from course.recordings import SPEAKERS

COMPARED = ("theo",)  # speakers for whom a network was also trained on recordings as they are


def speaker_scores(
    reader: str, suffix: str = "", speakers: Sequence[str] = SPEAKERS
) -> dict[str, tuple[float, float, float]]:
    """Word error rate and interval in per cent for speakers held out, as stored with the checkpoints.

    Args:
        reader: "greedy", "beam", "lexicon" or "lexicon and bigram".
        suffix: "-plain" for the networks whose recordings were not changed in training.
        speakers: whose; ``"-plain"`` there is for those in ``COMPARED``.
    """
    found = {speaker: facts_of(f"unseen-{speaker}{suffix}")["scores"][reader] for speaker in speakers}
    return {speaker: (one["wer"], one["low"], one["high"]) for speaker, one in found.items()}


def speaker_errors(reader: str, suffix: str = "", speakers: Sequence[str] = SPEAKERS) -> tuple[np.ndarray, np.ndarray]:
    """Errors and words of every scored string of some speakers, ``(300 * len(speakers),)`` each, in a fixed order."""
    found = [facts_of(f"unseen-{speaker}{suffix}")["scores"][reader] for speaker in speakers]
    return tuple(np.array([int(n) for one in found for n in one[key].split()]) for key in ("errors", "words"))


def plot_features(features: Mapping[str, torch.Tensor]) -> np.ndarray:
    """Log-mel features one below the other in the same colours.

    Args:
        features: title to ``(frames, N_MELS)``.

    Returns:
        The axes, ``(len(features),)``.
    """
    axes = np.atleast_1d(panels(len(features), height=0.6 + 1.2 * len(features), sharex=True))
    for ax, (title, values) in zip(axes, features.items(), strict=True):
        _draw(ax, values.numpy(), title)
    axes[-1].set_xlabel("Time (s)")
    return axes


def _draw(ax: Axes, values: np.ndarray, title: str) -> None:
    extent = (0, len(values) * FRAME_SECONDS, 0, values.shape[1])
    ax.imshow(values.T, origin="lower", aspect="auto", extent=extent, vmin=-1.5, vmax=2.5)
    ax.set(title=title, ylabel="Mel band")
    ax.grid(False)
