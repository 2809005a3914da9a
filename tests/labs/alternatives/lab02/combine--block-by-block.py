"""One block of m values after the other, one part after the other."""

import numpy as np


def combine(parts):
    parts = np.asarray(parts).astype(complex)
    if parts.ndim < 2:
        raise ValueError("expected at least two axes")
    if not parts.size:
        raise ValueError("expected parts that hold something")
    n_parts, m = parts.shape[0], parts.shape[-1]
    n = n_parts * m
    blocks = []
    for block in range(n_parts):
        k = block * m + np.arange(m)
        total = np.zeros(parts.shape[1:], dtype=complex)
        for j in range(n_parts):
            total += parts[j] * np.exp(-2j * np.pi * (j * k % n) / n)
        blocks.append(total)
    return np.concatenate(blocks, axis=-1)
