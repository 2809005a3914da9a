"""The largest summand apart from the rest, with log1p."""

import numpy as np


def log_sum_exp(values, axis=-1):
    values = np.moveaxis(np.array(values, dtype=float), axis, 0)
    if len(values) == 0:
        return np.full(values.shape[1:], -np.inf)
    values = np.sort(values, axis=0)
    largest = values[-1]
    rest = np.exp(values[:-1] - np.where(np.isinf(largest), 0.0, largest)).sum(axis=0)
    return largest + np.log1p(rest)
