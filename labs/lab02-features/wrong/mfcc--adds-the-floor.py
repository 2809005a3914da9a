"""The floor is added to every band, where only lower ones should be raised to it."""

# fails: has_a_floor

import numpy as np


def mfcc(power, filters, n_coefficients):
    power, filters = np.asarray(power, dtype=float), np.asarray(filters, dtype=float)
    if power.ndim != 2 or filters.ndim != 2 or power.shape[1] != filters.shape[1]:
        raise ValueError("shapes do not fit")
    n = len(filters)
    if not 1 <= n_coefficients <= n:
        raise ValueError("too many coefficients, or none")
    levels = np.log(power @ filters.T + 1e-8)
    basis = np.sqrt(2 / n) * np.cos(np.pi * np.outer(np.arange(n) + 0.5, np.arange(n_coefficients)) / n)
    basis[:, 0] = np.sqrt(1 / n)
    return levels @ basis
