"""The left side of the formula: exp overflows, or its logarithm is that of 0."""

# fails: moves_with_its_values

# ruff: noqa: F821 (the other functions are those of the lab)

import numpy as np


def log_sum_exp(values, axis=-1):
    return log_of(np.sum(np.exp(np.asarray(values, dtype=float)), axis=axis))
