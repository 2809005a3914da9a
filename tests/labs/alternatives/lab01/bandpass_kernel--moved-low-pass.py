"""A low-pass of half the width, moved to the middle of the band and scaled to gain 1 there."""

import numpy as np


def bandpass_kernel(low, high, transition, sample_rate):
    if transition <= 0 or not 0 < low - transition < low < high < high + transition < sample_rate / 2:
        raise ValueError("this band does not fit")
    half = int(np.ceil(2 * sample_rate / transition))
    n = np.arange(-half, half + 1)
    width, middle = (high - low + transition) / sample_rate, (low + high) / 2
    taps = np.sinc(width * n) * np.hamming(n.size) * np.cos(2 * np.pi * middle * n / sample_rate)
    return taps / np.abs(np.sum(taps * np.exp(-2j * np.pi * middle * n / sample_rate)))
