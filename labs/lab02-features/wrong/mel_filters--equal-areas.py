"""Each triangle is divided by its width."""

# fails: adds_up_to_one

import numpy as np


def mel_filters(n_filters, n_fft, sample_rate, low, high):
    if not 0 <= low < high <= sample_rate / 2 or n_filters < 1:
        raise ValueError("the filters do not fit")
    mels = 2595 * np.log10(1 + np.array([low, high]) / 700)
    corners = 700 * (10 ** (np.linspace(mels[0], mels[1], n_filters + 2) / 2595) - 1)
    bins = np.arange(n_fft // 2 + 1) * sample_rate / n_fft
    left, top, right = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    weights = np.maximum(0, np.minimum((bins - left) / (top - left), (right - bins) / (right - top)))
    if not weights.any(axis=1).all():
        raise ValueError("a filter holds no bin")
    return weights * 2 / (right - left)
