"""No thought for the ends of the scale: silence received as silence gives 0 / 0."""

# fails: knows_both_infinities

import numpy as np


def snr_db(clean, received):
    clean, received = np.asarray(clean, dtype=float), np.asarray(received, dtype=float)
    if clean.shape != received.shape or clean.size == 0:
        raise ValueError("expected two signals of one length")
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(10 * np.log10(np.sum(clean**2) / np.sum((received - clean) ** 2)))
