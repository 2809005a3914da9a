"""Adds half a step and rounds down; ties go up."""

import numpy as np


def quantise(signal, n_bits):
    if not 2 <= n_bits <= 16:
        raise ValueError("expected 2 to 16 bits")
    signal = np.asarray(signal, dtype=float)
    if np.isnan(signal).any():
        raise ValueError("a sample is NaN")
    half = 2 ** (n_bits - 1)
    return np.floor(np.clip(signal, -1, 1) * half + 0.5).clip(max=half - 1).astype(np.int16)
