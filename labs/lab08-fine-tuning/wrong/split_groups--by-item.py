"""Items are drawn, so that a group is on both sides."""

# fails: does_not_depend_on_the_order

import numpy as np


def split_groups(groups, share, seed):
    if not 0 <= share <= 1:
        raise ValueError(f"Expected a share from 0 to 1; got {share}.")
    return np.random.default_rng(seed).random(len(groups)) < share
