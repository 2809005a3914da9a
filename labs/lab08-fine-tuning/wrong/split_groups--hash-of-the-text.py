"""Python's hash, which is another one in every process."""

# fails: follows_the_hash

import numpy as np


def split_groups(groups, share, seed):
    if not 0 <= share <= 1:
        raise ValueError(f"Expected a share from 0 to 1; got {share}.")
    chosen = []
    for group in groups:
        chosen.append(hash((seed, group)) % 1000 < 1000 * share)
    return np.array(chosen, dtype=bool)
