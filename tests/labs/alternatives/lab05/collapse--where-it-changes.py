"""Keep the frames in which the symbol changes, then those that are no blank."""

import numpy as np


def collapse(path, blank):
    path = np.asarray(path, dtype=int)
    changes = np.ones(len(path), dtype=bool)
    changes[1:] = path[1:] != path[:-1]
    merged = path[changes]
    return merged[merged != blank].tolist()
