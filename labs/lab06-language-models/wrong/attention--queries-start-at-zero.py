"""Keys go on where the cache ends, and queries are rotated from position 0."""

# fails: goes_on_where_the_cache_ends

# ruff: noqa: F821 (the other names are those of the lab)

import numpy as np


def attention(queries, keys, values, past, theta):
    n_heads, n, head_dim = queries.shape
    if n_heads % len(keys):
        raise ValueError(f"{n_heads} query heads cannot share {len(keys)} key heads evenly.")
    m = 0 if past is None else past[0].shape[1]
    positions = np.arange(m, m + n)
    queries, keys = rotate(queries, np.arange(n), theta), rotate(keys, positions, theta)
    if past is not None:
        keys, values = np.concatenate([past[0], keys], axis=1), np.concatenate([past[1], values], axis=1)
    group = n_heads // len(keys)
    scores = queries @ np.repeat(keys, group, axis=0).swapaxes(1, 2) / np.sqrt(head_dim)
    scores = np.where(np.arange(m + n) <= positions[:, np.newaxis], scores, -np.inf)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights = weights / weights.sum(axis=-1, keepdims=True)
    return weights @ np.repeat(values, group, axis=0), (keys, values)
