"""The remainder around zero, then its size."""

import numpy as np


def alias_frequency(frequency, sample_rate):
    if sample_rate <= 0:
        raise ValueError("a sample rate is above 0 Hz")
    return np.abs((np.asarray(frequency, dtype=float) + sample_rate / 2) % sample_rate - sample_rate / 2)
