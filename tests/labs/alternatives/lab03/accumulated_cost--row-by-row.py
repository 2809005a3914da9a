"""The best way in from the row above at once for a whole row; along the row one after the other."""

import numpy as np


def accumulated_cost(distance):
    distance = np.array(distance, dtype=float)
    if distance.ndim != 2 or 0 in distance.shape or np.any(np.isnan(distance)):
        raise ValueError("expected a table of costs without NaN")
    rows = [np.cumsum(distance[0])]
    for row in distance[1:]:
        above = np.minimum(rows[-1], np.append(np.inf, rows[-1][:-1]))
        costs, left = [], np.inf
        for entry, own in zip(above, row, strict=True):
            left = own + min(entry, left)
            costs.append(left)
        rows.append(np.array(costs))
    return np.array(rows)
