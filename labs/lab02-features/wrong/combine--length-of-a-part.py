"""The delay is taken as a share of the part's length, not of the whole."""

# fails: combines_two_parts

import numpy as np


def combine(parts):
    parts = np.asarray(parts, dtype=complex)
    if parts.ndim < 2 or parts.size == 0:
        raise ValueError("expected parts (n_parts, ..., m)")
    n_parts, m = parts.shape[0], parts.shape[-1]
    n = n_parts * m
    k = np.arange(n)
    return sum(np.tile(part, n_parts) * np.exp(-2j * np.pi * j * k / m) for j, part in enumerate(parts))
