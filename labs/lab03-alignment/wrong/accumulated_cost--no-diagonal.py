"""Steps down and right only: both speakers never go on together."""

# fails: costs_what_the_best_of_all_paths_costs

import numpy as np


def accumulated_cost(distance):
    distance = np.asarray(distance, dtype=float)
    if distance.ndim != 2 or distance.size == 0 or np.isnan(distance).any():
        raise ValueError("expected a table of costs")
    total = np.full((distance.shape[0] + 1, distance.shape[1] + 1), np.inf)
    total[0, 0] = 0
    for i, row in enumerate(distance):
        for j, cost in enumerate(row):
            total[i + 1, j + 1] = cost + min(total[i, j + 1], total[i + 1, j]) if i + j else cost
    return total[1:, 1:]
