"""np.var takes the mean away, so that a constant offset counts as no noise."""

# fails: counts_a_constant_offset

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
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(10 * np.log10(np.var(clean) / np.var(noise)))
