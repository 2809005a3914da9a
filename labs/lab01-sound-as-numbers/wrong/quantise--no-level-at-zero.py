"""A mid-rise quantiser: floor puts a threshold at zero, so that silence rattles between two codes."""

# fails: has_a_level_at_zero

import numpy as np


def quantise(signal, n_bits):
    if not 2 <= n_bits <= 16:
        raise ValueError("expected 2 to 16 bits")
    signal = np.asarray(signal, dtype=float)
    if np.isnan(signal).any():
        raise ValueError("a sample is NaN")
    half = 2 ** (n_bits - 1)
    return np.clip(np.floor(signal * half), -half, half - 1).astype(int)
