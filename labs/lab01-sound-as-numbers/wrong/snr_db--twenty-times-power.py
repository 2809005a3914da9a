"""Twenty times the logarithm of a power ratio: twice the decibels."""

# fails: agrees_with_exact_sums

import numpy as np


def snr_db(clean, received):
    clean, received = np.asarray(clean, dtype=float), np.asarray(received, dtype=float)
    if clean.shape != received.shape or clean.size == 0:
        raise ValueError("expected two signals of one length")
    noise = received - clean
    if not noise.any():
        return np.inf
    if not clean.any():
        return -np.inf
    return float(20 * np.log10(np.sum(clean**2) / np.sum(noise**2)))
