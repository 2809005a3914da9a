"""The level is squared."""
# fails: has_the_level

import numpy as np


def normalise(signal, level):
    if not np.any(signal):
        raise ValueError("silence")
    return signal * level / np.mean(np.square(signal))
