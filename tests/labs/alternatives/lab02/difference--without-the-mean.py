"""The mean is taken off first, and the transforms have a power of two."""

import numpy as np


def difference(frames, max_lag):
    frames = np.array(frames, dtype=np.float64)
    if frames.ndim == 0 or max_lag < 0 or max_lag >= frames.shape[-1]:
        raise ValueError("the lag does not fit")
    frames -= frames.mean(axis=-1, keepdims=True)
    n = frames.shape[-1]
    width, size = n - max_lag, 2 ** int(np.ceil(np.log2(2 * n)))
    turned = np.fft.rfft(frames[..., :width][..., ::-1], size)
    products = np.fft.irfft(np.fft.rfft(frames, size) * turned, size)[..., width - 1 : n]
    squares = np.zeros((*frames.shape[:-1], n + 1))
    squares[..., 1:] = np.cumsum(frames**2, axis=-1)
    later = squares[..., width : n + 1] - squares[..., : max_lag + 1]
    curve = squares[..., width : width + 1] + later - 2 * products
    curve[curve < 0] = 0
    return curve
