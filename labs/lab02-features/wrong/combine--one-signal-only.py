"""Parts are flattened, so that several signals become one."""

# fails: combines_stacks

import numpy as np


def combine(parts):
    parts = np.asarray(parts, dtype=complex)
    if parts.ndim < 2 or parts.size == 0:
        raise ValueError("expected parts (n_parts, ..., m)")
    n_parts, m = parts.shape[0], parts.shape[-1]
    n = n_parts * m
    k = np.arange(n)
    return sum(np.tile(part.ravel()[:m], n_parts) * np.exp(-2j * np.pi * j * k / n) for j, part in enumerate(parts))
