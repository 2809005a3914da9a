"""A matrix of n by n factors: right, and as slow and large as the definition."""

# fails: combines_long_parts_in_time

import numpy as np


def combine(parts):
    parts = np.asarray(parts, dtype=complex)
    if parts.ndim < 2 or parts.size == 0:
        raise ValueError("expected parts (n_parts, ..., m)")
    n_parts, m = parts.shape[0], parts.shape[-1]
    n = n_parts * m
    k = np.arange(n)
    samples = np.moveaxis(parts @ np.exp(2j * np.pi * np.outer(np.arange(m), np.arange(m)) / m) / m, 0, -1)
    samples = samples.reshape(*samples.shape[:-2], n)
    return samples @ np.exp(-2j * np.pi * np.outer(k, k) / n)
