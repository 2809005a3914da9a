"""The mean of the magnitudes is taken for the root of the mean square."""
# fails: agrees_on_noise

import numpy as np


def rms_level(signal):
    return float(np.abs(signal).mean()) if len(signal) else 0.0
