"""The power is returned for the level: the square root is forgotten."""
# fails: scales_with_amplitude

import numpy as np


def rms_level(signal):
    return float(np.mean(np.square(signal))) if len(signal) else 0.0
