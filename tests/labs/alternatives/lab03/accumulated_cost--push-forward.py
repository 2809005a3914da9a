"""Each cell passes its cost on to the three cells after it."""

import numpy as np


def accumulated_cost(distance):
    costs = np.asarray(distance, dtype=float)
    if costs.ndim != 2 or costs.size == 0:
        raise ValueError("a table has two dimensions and at least one cell")
    if np.isnan(costs).any():
        raise ValueError("a cost is NaN")
    n, m = costs.shape
    best = np.full((n + 1, m + 1), np.inf)
    best[0, 0] = costs[0, 0]
    for i in range(n):
        for j in range(m):
            here = best[i, j]
            if i + 1 < n:
                best[i + 1, j] = min(best[i + 1, j], here + costs[i + 1, j])
            if j + 1 < m:
                best[i, j + 1] = min(best[i, j + 1], here + costs[i, j + 1])
            if i + 1 < n and j + 1 < m:
                best[i + 1, j + 1] = min(best[i + 1, j + 1], here + costs[i + 1, j + 1])
    return best[:n, :m]
