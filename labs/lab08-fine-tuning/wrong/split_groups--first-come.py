"""The groups that come first are for training; another order splits otherwise."""

# fails: does_not_depend_on_the_order

import numpy as np


def split_groups(groups, share, seed):
    if not 0 <= share <= 1:
        raise ValueError(f"Expected a share from 0 to 1; got {share}.")
    names = list(dict.fromkeys(groups))
    chosen = set(names[len(names) - round(share * len(names)) :])
    return np.array([group in chosen for group in groups], dtype=bool)
