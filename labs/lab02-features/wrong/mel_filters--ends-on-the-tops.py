"""The first and last filter have their tops, not their corners, at the edges."""

# fails: has_the_triangles

import numpy as np


def mel_filters(n_filters, n_fft, sample_rate, low, high):
    if not 0 <= low < high <= sample_rate / 2 or n_filters < 1:
        raise ValueError("the filters do not fit")
    mels = 2595 * np.log10(1 + np.array([low, high]) / 700)
    step = (mels[1] - mels[0]) / max(n_filters - 1, 1)
    places = np.linspace(mels[0] - step, mels[1] + step, n_filters + 2)
    corners = 700 * (10 ** (places / 2595) - 1)
    bins = np.arange(n_fft // 2 + 1) * sample_rate / n_fft
    left, top, right = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    weights = np.maximum(0, np.minimum((bins - left) / (top - left), (right - bins) / (right - top)))
    if not weights.any(axis=1).all():
        raise ValueError("a filter holds no bin")
    return weights
