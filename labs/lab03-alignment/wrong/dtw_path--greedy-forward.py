"""Walks forward to the cheapest next pair, without knowing what comes after it."""

# fails: takes_the_best_of_all_paths

# ruff: noqa: F821 (the other functions are those of the lab)

import numpy as np


def dtw_path(distance):
    total = accumulated_cost(distance)
    if total[-1, -1] == np.inf:
        raise ValueError("no path leads to the end")
    i, j = 0, 0
    path = [(i, j)]
    while (i, j) != (total.shape[0] - 1, total.shape[1] - 1):
        after = [(i + 1, j + 1), (i + 1, j), (i, j + 1)]
        inside = [cell for cell in after if cell[0] < total.shape[0] and cell[1] < total.shape[1]]
        i, j = min(inside, key=lambda cell: total[cell])
        path.append((i, j))
    return np.array(path)
