"""The sides of the triangles are straight in mel, not in hertz."""

# fails: has_the_triangles

import numpy as np


def mel_filters(n_filters, n_fft, sample_rate, low, high):
    if not 0 <= low < high <= sample_rate / 2 or n_filters < 1:
        raise ValueError("the filters do not fit")

    def mel(frequency):
        return 2595 * np.log10(1 + frequency / 700)

    corners = np.linspace(mel(low), mel(high), n_filters + 2)
    bins = mel(np.arange(n_fft // 2 + 1) * sample_rate / n_fft)
    step = corners[1] - corners[0]
    weights = np.maximum(0, 1 - np.abs(bins - corners[1:-1, None]) / step)
    if not weights.any(axis=1).all():
        raise ValueError("a filter holds no bin")
    return weights
