"""Index -1 on the border reads the other end of the table, which is still 0."""

# fails: costs_what_the_best_of_all_paths_costs

import numpy as np


def accumulated_cost(distance):
    distance = np.asarray(distance, dtype=float)
    if distance.ndim != 2 or distance.size == 0 or np.isnan(distance).any():
        raise ValueError("expected a table of costs")
    total = np.zeros(distance.shape)
    for i in range(distance.shape[0]):
        for j in range(distance.shape[1]):
            total[i, j] = distance[i, j] + min(total[i - 1, j - 1], total[i - 1, j], total[i, j - 1])
    return total
