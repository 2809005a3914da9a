"""The codes are whole numbers, but of a floating-point dtype."""

# fails: returns_integer_codes

import numpy as np


def quantise(signal, n_bits):
    if not 2 <= n_bits <= 16:
        raise ValueError("expected 2 to 16 bits")
    signal = np.asarray(signal, dtype=float)
    if np.isnan(signal).any():
        raise ValueError("a sample is NaN")
    half = 2 ** (n_bits - 1)
    return np.clip(np.rint(signal * half), -half, half - 1)
