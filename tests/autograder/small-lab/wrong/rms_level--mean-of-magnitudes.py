"""The mean of magnitudes is taken."""
# fails: agrees_on_noise

import numpy as np


def rms_level(signal):
    return float(np.abs(signal).mean()) if len(signal) else 0.0
