"""Slaney's mel: straight up to 1000 Hz, logarithmic above."""

# fails: has_the_triangles

import numpy as np


def mel_filters(n_filters, n_fft, sample_rate, low, high):
    if not 0 <= low < high <= sample_rate / 2 or n_filters < 1:
        raise ValueError("the filters do not fit")
    edges = np.array([low, high])
    step = np.log(6.4) / 27
    mels = np.where(edges < 1000, edges * 3 / 200, 15 + np.log(np.maximum(edges, 1) / 1000) / step)
    places = np.linspace(mels[0], mels[1], n_filters + 2)
    corners = np.where(places < 15, places * 200 / 3, 1000 * np.exp(step * (places - 15)))
    bins = np.arange(n_fft // 2 + 1) * sample_rate / n_fft
    left, top, right = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    weights = np.maximum(0, np.minimum((bins - left) / (top - left), (right - bins) / (right - top)))
    if not weights.any(axis=1).all():
        raise ValueError("a filter holds no bin")
    return weights
