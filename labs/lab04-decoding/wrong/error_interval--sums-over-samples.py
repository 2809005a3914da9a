"""The sums run over the samples instead of over the recordings of one."""

# fails: takes_samples_of_any_size

import numpy as np


def error_interval(errors, words, draws, level=0.95):
    errors, words = np.asarray(errors), np.asarray(words)
    if errors.shape != words.shape or np.any(words < 1) or not 0 < level < 1:
        raise ValueError("expected errors and words of each recording, and a level inside (0, 1)")
    rates = errors[draws].sum(axis=0) / words[draws].sum(axis=0)
    low, high = np.quantile(rates, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
