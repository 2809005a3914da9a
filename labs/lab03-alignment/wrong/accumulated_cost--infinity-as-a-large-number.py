"""Forbidden pairs cost a million, so that a path may go through them after all."""

# fails: goes_round_forbidden_pairs

import numpy as np


def accumulated_cost(distance):
    distance = np.asarray(distance, dtype=float)
    if distance.ndim != 2 or distance.size == 0 or np.isnan(distance).any():
        raise ValueError("expected a table of costs")
    distance = np.where(np.isinf(distance), 1e6, distance)
    total = np.full((distance.shape[0] + 1, distance.shape[1] + 1), np.inf)
    total[0, 0] = 0
    for i, row in enumerate(distance):
        for j, cost in enumerate(row):
            total[i + 1, j + 1] = cost + min(total[i, j], total[i, j + 1], total[i + 1, j])
    return total[1:, 1:]
