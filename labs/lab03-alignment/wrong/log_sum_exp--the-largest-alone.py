"""Takes the largest value for the sum."""

# fails: adds_up_whole_numbers

import numpy as np


def log_sum_exp(values, axis=-1):
    return np.max(np.asarray(values, dtype=float), axis=axis, initial=-np.inf)
