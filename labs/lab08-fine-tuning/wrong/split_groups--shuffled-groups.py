"""The sorted groups are shuffled and cut; one more group moves the others."""

# fails: does_not_depend_on_other_groups

import numpy as np


def split_groups(groups, share, seed):
    if not 0 <= share <= 1:
        raise ValueError(f"Expected a share from 0 to 1; got {share}.")
    names = sorted(set(groups))
    order = np.random.default_rng(seed).permutation(len(names))
    chosen = {names[k] for k in order[: round(share * len(names))]}
    return np.array([group in chosen for group in groups], dtype=bool)
