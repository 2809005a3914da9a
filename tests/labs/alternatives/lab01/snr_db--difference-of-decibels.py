"""Two levels in decibels, subtracted; NumPy makes the infinities."""

import numpy as np


def snr_db(clean, received):
    clean, received = np.asarray(clean).astype(float), np.asarray(received).astype(float)
    if clean.shape != received.shape or not clean.size:
        raise ValueError("expected two signals of one length")
    error = np.linalg.norm(received - clean)
    with np.errstate(divide="ignore"):
        return np.inf if error == 0 else 20 * np.log10(np.linalg.norm(clean)) - 20 * np.log10(error)
