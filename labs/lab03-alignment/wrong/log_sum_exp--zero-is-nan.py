"""Where all values are -inf, -inf is taken from -inf, which is NaN."""

# fails: knows_zero

# ruff: noqa: F821 (the other functions are those of the lab)

import numpy as np


def log_sum_exp(values, axis=-1):
    values = np.asarray(values, dtype=float)
    peak = np.max(values, axis=axis, keepdims=True, initial=-np.inf)
    return log_of(np.sum(np.exp(values - peak), axis=axis)) + np.squeeze(peak, axis=axis)
