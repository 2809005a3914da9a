"""An array comes back, which compares and prints otherwise than a list."""

# fails: merges_then_removes

import numpy as np


def collapse(path, blank):
    labels, before = [], blank
    for symbol in path:
        if symbol != before and symbol != blank:
            labels.append(int(symbol))
        before = symbol
    return np.array(labels)
