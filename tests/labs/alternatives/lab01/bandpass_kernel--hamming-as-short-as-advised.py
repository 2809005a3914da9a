"""Hamming window of the length that the task names."""

import numpy as np


def bandpass_kernel(low, high, transition, sample_rate):
    if transition <= 0 or not 0 < low - transition < low < high < high + transition < sample_rate / 2:
        raise ValueError("this band does not fit")
    half = int(np.ceil(1.65 * sample_rate / transition))
    n = np.arange(-half, half + 1)
    below, above = 2 * (low - transition / 2) / sample_rate, 2 * (high + transition / 2) / sample_rate
    return (above * np.sinc(above * n) - below * np.sinc(below * n)) * np.hamming(n.size)
