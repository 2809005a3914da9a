"""One maximum for the whole array: rows far below it are lost."""

# fails: keeps_rows_apart

# ruff: noqa: F821 (the other functions are those of the lab)

import numpy as np


def log_sum_exp(values, axis=-1):
    values = np.asarray(values, dtype=float)
    peak = np.max(values, initial=-np.inf)
    peak = 0 if peak == -np.inf else peak
    return log_of(np.sum(np.exp(values - peak), axis=axis)) + peak
