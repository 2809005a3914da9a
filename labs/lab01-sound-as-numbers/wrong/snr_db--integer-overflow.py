"""Squares of 16-bit integers in 16 bits: they overflow without a warning."""

# fails: survives_integer_samples

import numpy as np


def snr_db(clean, received):
    clean, received = np.asarray(clean), np.asarray(received)
    if clean.shape != received.shape or clean.size == 0:
        raise ValueError("expected two signals of one length")
    signal_power, noise_power = np.mean(clean**2), np.mean((received - clean) ** 2)
    if noise_power == 0:
        return np.inf
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(10 * np.log10(signal_power / noise_power))
