"""Two standard deviations around the mean stand in for the quantiles."""

# fails: resamples_recordings

import numpy as np


def error_interval(errors, words, draws, level=0.95):
    errors, words = np.asarray(errors), np.asarray(words)
    if errors.shape != words.shape or np.any(words < 1) or not 0 < level < 1:
        raise ValueError("expected errors and words of each recording, and a level inside (0, 1)")
    rates = errors[draws].sum(axis=1) / words[draws].sum(axis=1)
    low, high = rates.mean() - 1.96 * rates.std(), rates.mean() + 1.96 * rates.std()
    return float(low), float(high)
