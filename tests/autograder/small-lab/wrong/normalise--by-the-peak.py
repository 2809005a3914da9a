"""The peak is taken for the level."""
# fails: has_the_level

import numpy as np


def normalise(signal, level):
    if not np.any(signal):
        raise ValueError("silence")
    return signal * level / np.abs(signal).max()
