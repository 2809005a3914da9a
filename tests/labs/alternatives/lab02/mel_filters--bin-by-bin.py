"""Two loops and a case for each side of a triangle."""

import numpy as np


def mel_filters(n_filters, n_fft, sample_rate, low, high):
    if not (low >= 0 and low < high and high <= sample_rate / 2 and n_filters >= 1):
        raise ValueError("the filters do not fit")
    first, last = (2595 * np.log10(1 + edge / 700) for edge in (low, high))
    corners = [700 * (10 ** ((first + i * (last - first) / (n_filters + 1)) / 2595) - 1) for i in range(n_filters + 2)]
    bank = np.zeros((n_filters, n_fft // 2 + 1))
    for i in range(n_filters):
        left, top, right = corners[i : i + 3]
        for k in range(n_fft // 2 + 1):
            frequency = k * sample_rate / n_fft
            if left < frequency <= top:
                bank[i, k] = (frequency - left) / (top - left)
            elif top < frequency < right:
                bank[i, k] = (right - frequency) / (right - top)
        if not bank[i].any():
            raise ValueError(f"filter {i} holds no bin")
    return bank
