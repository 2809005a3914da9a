"""The energy of the later stretch is taken for that of the first one."""

# fails: compares_the_same_samples

import numpy as np


def difference(frames, max_lag):
    frames = np.asarray(frames, dtype=float)
    n = frames.shape[-1] if frames.ndim else 0
    if not 0 <= max_lag < n:
        raise ValueError("the lag does not fit")
    width = n - max_lag
    size = 2 * n
    spectrum = np.conj(np.fft.rfft(frames[..., :width], size)) * np.fft.rfft(frames, size)
    products = np.fft.irfft(spectrum, size)[..., : max_lag + 1]
    squares = np.concatenate([np.zeros_like(frames[..., :1]), np.cumsum(frames**2, axis=-1)], axis=-1)
    energy = squares[..., width:] - squares[..., : max_lag + 1]
    return np.maximum(2 * energy[..., :1] - 2 * products, 0)
