"""The square root is forgotten."""
# fails: agrees_on_noise

import numpy as np


def rms_level(signal):
    return float(np.mean(np.square(signal))) if len(signal) else 0.0
