"""The smallest angle that has the same cosine."""

import numpy as np


def alias_frequency(frequency, sample_rate):
    if sample_rate <= 0:
        raise ValueError("a sample rate is above 0 Hz")
    return np.arccos(np.cos(2 * np.pi * np.asarray(frequency) / sample_rate)) * sample_rate / (2 * np.pi)
