"""Frequencies above half the sample rate are limited to it."""

# fails: gives_the_same_samples

import numpy as np


def alias_frequency(frequency, sample_rate):
    if sample_rate <= 0:
        raise ValueError("a sample rate is above 0 Hz")
    return np.minimum(np.abs(np.asarray(frequency, dtype=float)), sample_rate / 2)
