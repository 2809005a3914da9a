"""One reflection at half the sample rate, which is enough only up to the sample rate."""

# fails: folds_from_far_away

import numpy as np


def alias_frequency(frequency, sample_rate):
    if sample_rate <= 0:
        raise ValueError("a sample rate is above 0 Hz")
    frequency = np.abs(np.asarray(frequency, dtype=float))
    return np.where(frequency > sample_rate / 2, np.abs(sample_rate - frequency), frequency)
