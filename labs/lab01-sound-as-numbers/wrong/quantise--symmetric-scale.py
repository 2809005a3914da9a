"""Full scale is the largest code, 127, instead of 128: every step is a little too wide."""

# fails: takes_the_nearest_code

import numpy as np


def quantise(signal, n_bits):
    if not 2 <= n_bits <= 16:
        raise ValueError("expected 2 to 16 bits")
    signal = np.asarray(signal, dtype=float)
    if np.isnan(signal).any():
        raise ValueError("a sample is NaN")
    half = 2 ** (n_bits - 1)
    return np.clip(np.rint(signal * (half - 1)), -half, half - 1).astype(int)
