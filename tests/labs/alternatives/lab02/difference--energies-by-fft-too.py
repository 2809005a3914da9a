"""Both sums are correlations, the energies that of the squares with ones; no padding beyond the frame."""

import numpy as np


def difference(frames, max_lag):
    frames = np.asarray(frames) * 1.0
    n = np.shape(frames)[-1] if np.ndim(frames) else 0
    if max_lag not in range(n):
        raise ValueError("the lag does not fit")

    def correlated(one, other):
        return np.fft.irfft(np.fft.rfft(one, n).conj() * np.fft.rfft(other, n), n)[..., : max_lag + 1]

    first = frames[..., : n - max_lag]
    if n == 1:
        return np.zeros(frames.shape)
    energies = correlated(np.ones_like(first), frames**2)
    return np.abs(np.sum(first**2, axis=-1, keepdims=True) + energies - 2 * correlated(first, frames))
