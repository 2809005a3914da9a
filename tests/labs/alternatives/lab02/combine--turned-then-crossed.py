"""Factors within a part first, then a small transform across the parts."""

import numpy as np


def combine(parts):
    parts = np.asarray(parts)
    if parts.ndim < 2 or 0 in parts.shape:
        raise ValueError("expected parts (n_parts, ..., m)")
    n_parts, m = parts.shape[0], parts.shape[-1]
    late = np.exp(-2j * np.pi * np.outer(np.arange(n_parts), np.arange(m)) / (n_parts * m))
    late = late.reshape(n_parts, *[1] * (parts.ndim - 2), m)
    crossed = np.exp(-2j * np.pi * np.outer(np.arange(n_parts), np.arange(n_parts)) / n_parts)
    blocks = np.tensordot(crossed, parts * late, axes=1)
    return np.moveaxis(blocks, 0, -2).reshape(*parts.shape[1:-1], n_parts * m)
