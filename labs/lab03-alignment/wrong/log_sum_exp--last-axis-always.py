"""Overlooks the axis."""

# fails: keeps_rows_apart

import numpy as np


def log_sum_exp(values, axis=-1):
    return np.logaddexp.reduce(np.asarray(values, dtype=float), axis=-1)
