"""The largest tap is scaled to 1, so that the gain is far above it."""

# fails: passes_its_band

import numpy as np


def bandpass_kernel(low, high, transition, sample_rate):
    if transition <= 0 or not 0 < low - transition < low < high < high + transition < sample_rate / 2:
        raise ValueError("this band does not fit")
    half = int(np.ceil(2 * sample_rate / transition))
    n = np.arange(-half, half + 1)
    below, above = 2 * (low - transition / 2) / sample_rate, 2 * (high + transition / 2) / sample_rate
    taps = (above * np.sinc(above * n) - below * np.sinc(below * n)) * np.hamming(n.size)
    return taps / taps.max()
