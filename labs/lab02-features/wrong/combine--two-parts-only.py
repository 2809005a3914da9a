"""The butterfly of two parts, which knows no third one."""

# fails: combines_many_parts

import numpy as np


def combine(parts):
    parts = np.asarray(parts, dtype=complex)
    if parts.ndim < 2 or parts.size == 0:
        raise ValueError("expected parts (n_parts, ..., m)")
    n_parts, m = parts.shape[0], parts.shape[-1]
    n = n_parts * m
    np.arange(n)
    if n_parts == 1:
        return parts[0]
    even, odd = parts[0], parts[1] * np.exp(-2j * np.pi * np.arange(m) / n)
    return np.concatenate([even + odd, even - odd], axis=-1)
