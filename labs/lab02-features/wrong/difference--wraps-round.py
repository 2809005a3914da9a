"""The correlation of the whole frame without padding: its end is compared with its beginning."""

# fails: equals_its_definition

import numpy as np


def difference(frames, max_lag):
    frames = np.asarray(frames, dtype=float)
    n = frames.shape[-1] if frames.ndim else 0
    if not 0 <= max_lag < n:
        raise ValueError("the lag does not fit")
    spectrum = np.fft.rfft(frames)
    products = np.fft.irfft(np.abs(spectrum) ** 2, n)[..., : max_lag + 1]
    return np.maximum(2 * np.sum(frames**2, axis=-1, keepdims=True) - 2 * products, 0)
