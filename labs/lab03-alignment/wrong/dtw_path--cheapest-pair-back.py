"""Goes back to the cheapest pair, not to the one with the cheapest path to it."""

# fails: takes_the_best_of_all_paths

# ruff: noqa: F821 (the other functions are those of the lab)

import numpy as np


def dtw_path(distance):
    total = accumulated_cost(distance)
    i, j = total.shape[0] - 1, total.shape[1] - 1
    if total[i, j] == np.inf:
        raise ValueError("no path leads to the end")
    path = [(i, j)]
    while (i, j) != (0, 0):
        before = [(i - 1, j - 1), (i - 1, j), (i, j - 1)]
        i, j = min((cell for cell in before if min(cell) >= 0), key=lambda cell: distance[cell])
        path.append((i, j))
    return np.array(path[::-1])
