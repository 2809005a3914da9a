"""Silence is divided by zero."""
# fails: refuses_silence

import numpy as np


def normalise(signal, level):
    return signal * (np.float64(level) / rms_level(signal))
