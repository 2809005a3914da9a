"""The checkpoints' own scores, speaker by speaker, and what augmentation does to features, drawn (Lecture 5)."""

from collections.abc import Mapping

import numpy as np
import torch
from matplotlib.axes import Axes

from course.acoustic.checkpoints import facts_of
from course.acoustic.frontend import FRAME_SECONDS
from course.plotting import panels
from course.recordings import SPEAKERS


def speaker_scores(reader: str) -> dict[str, tuple[float, float, float]]:
    """Word error rate and interval in per cent for every speaker held out, as stored with the checkpoints.

    Args:
        reader: "greedy", "beam", "lexicon" or "lexicon and bigram".
    """
    found = {speaker: facts_of(f"unseen-{speaker}")["scores"][reader] for speaker in SPEAKERS}
    return {speaker: (one["wer"], one["low"], one["high"]) for speaker, one in found.items()}


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
