"""Each triangle by np.interp, with the natural logarithm's constant."""

import numpy as np


def mel_filters(n_filters, n_fft, sample_rate, low, high):
    if n_filters < 1 or low < 0 or low >= high or high > sample_rate / 2:
        raise ValueError("the filters do not fit")
    mels = np.linspace(1127 * np.log(1 + low / 700), 1127 * np.log(1 + high / 700), n_filters + 2)
    corners = 700 * (np.exp(mels / 1127) - 1)
    bins = np.fft.rfftfreq(n_fft, 1 / sample_rate)
    bank = np.array([np.interp(bins, corners[i : i + 3], [0, 1, 0]) for i in range(n_filters)])
    if np.any(bank.sum(axis=1) == 0):
        raise ValueError("a filter holds no bin")
    return bank
