"""One sample after the other, and NumPy's percentiles."""

import numpy as np


def error_interval(errors, words, draws, level=0.95):
    if len(errors) != len(words) or min(words) < 1:
        raise ValueError("each recording has errors and at least one word")
    if level <= 0 or level >= 1:
        raise ValueError("a level lies between 0 and 1")
    rates = [np.take(errors, draw).sum() / np.take(words, draw).sum() for draw in draws]
    return tuple(np.percentile(rates, [50 - 50 * level, 50 + 50 * level]).tolist())
