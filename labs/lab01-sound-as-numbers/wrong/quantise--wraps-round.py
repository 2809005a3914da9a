"""Loud samples are not limited and wrap round in the small integer type."""

# fails: limits_loud_samples

import numpy as np


def quantise(signal, n_bits):
    if not 2 <= n_bits <= 16:
        raise ValueError("expected 2 to 16 bits")
    signal = np.asarray(signal, dtype=float)
    if np.isnan(signal).any():
        raise ValueError("a sample is NaN")
    half = 2 ** (n_bits - 1)
    codes = np.rint(signal * half).astype(np.int64)
    return (codes + half) % (2 * half) - half
