"""Without items the array is one of floats."""

# fails: stands_the_edges_of_a_share

import hashlib

import numpy as np


def split_groups(groups, share, seed):
    if not 0 <= share <= 1:
        raise ValueError(f"Expected a share from 0 to 1; got {share}.")
    chosen = []
    for group in groups:
        digest = hashlib.sha256(f"{seed}/{group}".encode()).digest()
        chosen.append(int.from_bytes(digest[:8], "big") / 2**64 < share)
    return np.array(chosen)
