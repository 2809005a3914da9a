"""Silence is divided by zero."""
# fails: refuses_silence

import numpy as np


def normalise(signal, level):
    return signal * (level / np.sqrt(np.mean(np.square(signal))))
