"""As in transformers: cosines and sines for all components, and a copy of x with its halves exchanged."""

import numpy as np


def rotate(x, positions, theta):
    if x.shape[-1] % 2 != 0:
        raise ValueError("head_dim has to be even")
    if len(positions) != x.shape[-2]:
        raise ValueError("one position for each row")
    d = x.shape[-1]
    inverse = theta ** -(np.arange(0, d, 2, dtype=float) / d)
    angles = np.asarray(positions, dtype=float)[:, None] * np.tile(inverse, 2)
    exchanged = np.concatenate([-x[..., d // 2 :], x[..., : d // 2]], axis=-1)
    return x * np.cos(angles) + exchanged * np.sin(angles)
