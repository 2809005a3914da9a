"""How features change in time, and how they are freed from the line they came over (Lecture 2).

Sources: S. Furui, Speaker-independent isolated word recognition using dynamic features of speech spectrum, IEEE
Transactions on Acoustics, Speech, and Signal Processing 34 (1986), for the slopes; B. S. Atal, Effectiveness of linear
prediction characteristics of the speech wave for automatic speaker identification and verification, Journal of the
Acoustical Society of America 55 (1974), for the removal of the mean.
"""

import numpy as np


def deltas(features, reach: int = 2) -> np.ndarray:
    """The slope of every feature: a straight line fitted to each frame and its neighbours.

    Beyond the ends the first and the last frame are repeated. Equal to
    ``librosa.feature.delta(features.T, width=2 * reach + 1, mode="nearest").T``.

    Args:
        features: ``(n_frames, n_features)``.
        reach: neighbours on each side, at least 1.

    Returns:
        ``(n_frames, n_features)`` float64, per frame.

    Raises:
        ValueError: another number of dimensions, no frame, NaN or infinity, or a reach below 1.
    """
    features = _as_features(features)
    if reach < 1:
        raise ValueError(f"A reach of at least one neighbour was expected and {reach} came.")
    n_frames, padded = len(features), np.pad(features, ((reach, reach), (0, 0)), mode="edge")
    slopes = np.zeros_like(features)
    for offset in range(1, reach + 1):
        ahead, behind = padded[reach + offset :][:n_frames], padded[reach - offset :][:n_frames]
        slopes += offset * (ahead - behind)
    return slopes / (2 * np.sum(np.arange(1, reach + 1) ** 2))


def normalise(features) -> np.ndarray:
    """Every feature with mean 0 and variance 1 over the utterance.

    A filter in the line, such as a telephone's, adds a constant to the logarithm of each band; this takes it out.

    Args:
        features: ``(n_frames, n_features)``.

    Returns:
        ``(n_frames, n_features)`` float64; a feature that never changes becomes 0.

    Raises:
        ValueError: another number of dimensions, no frame, NaN or infinity.
    """
    features = _as_features(features)
    centred = features - features.mean(axis=0)
    spread = centred.std(axis=0)
    constant = spread <= 1e-9 * (1 + np.abs(features).max(axis=0))  # only rounding is left
    return np.where(constant, 0.0, centred / np.where(constant, 1.0, spread))


def _as_features(features) -> np.ndarray:
    features = np.asarray(features, dtype=np.float64)
    if features.ndim != 2 or features.size == 0:
        raise ValueError(
            f"Features were expected with shape (n_frames, n_features) and at least one frame, and came with "
            f"{features.shape}."
        )
    if not np.isfinite(features).all():
        raise ValueError("Features were expected to be finite and came with NaN or infinity. Compute them anew.")
    return features
