"""An empty axis has no maximum, and so stops the program."""

# fails: knows_zero

# ruff: noqa: F821 (the other functions are those of the lab)

import numpy as np


def log_sum_exp(values, axis=-1):
    values = np.asarray(values, dtype=float)
    peak = np.max(values, axis=axis, keepdims=True)
    peak = np.where(peak == -np.inf, 0, peak)
    return log_of(np.sum(np.exp(values - peak), axis=axis)) + np.squeeze(peak, axis=axis)
