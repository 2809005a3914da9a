"""Remembers for each cell which step led to it, in a table of its own."""

# ruff: noqa: F821 (the other functions are those of the lab)

import numpy as np


def dtw_path(distance):
    total = accumulated_cost(distance)
    n, m = total.shape
    if not np.isfinite(total[n - 1, m - 1]):
        raise ValueError("the end cannot be reached")
    walled = np.full((n + 1, m + 1), np.inf)
    walled[1:, 1:] = total
    step = np.argmin([walled[:-1, :-1], walled[:-1, 1:], walled[1:, :-1]], axis=0)
    steps = [(1, 1), (1, 0), (0, 1)]
    pairs = [(n - 1, m - 1)]
    while pairs[-1] != (0, 0):
        i, j = pairs[-1]
        di, dj = steps[step[i, j]]
        pairs.append((i - di, j - dj))
    pairs.reverse()
    return np.array(pairs, dtype=np.int32)
