"""All samples that are left are compared: n - lag terms in place of W."""

# fails: compares_the_same_samples

import numpy as np


def difference(frames, max_lag):
    frames = np.asarray(frames, dtype=float)
    n = frames.shape[-1] if frames.ndim else 0
    if not 0 <= max_lag < n:
        raise ValueError("the lag does not fit")
    size = 2 * n
    products = np.fft.irfft(np.abs(np.fft.rfft(frames, size)) ** 2, size)[..., : max_lag + 1]
    squares = np.concatenate([np.zeros_like(frames[..., :1]), np.cumsum(frames**2, axis=-1)], axis=-1)
    lags = np.arange(max_lag + 1)
    energy = squares[..., n - lags] + squares[..., -1:] - squares[..., lags]
    return np.maximum(energy - 2 * products, 0)
