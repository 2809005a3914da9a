"""The bytes are read with the smallest first."""

# fails: follows_the_hash

import hashlib

import numpy as np


def split_groups(groups, share, seed):
    if not 0 <= share <= 1:
        raise ValueError(f"Expected a share from 0 to 1; got {share}.")
    chosen = []
    for group in groups:
        digest = hashlib.sha256(f"{seed}/{group}".encode()).digest()
        chosen.append(int.from_bytes(digest[:8], "little") / 2**64 < share)
    return np.array(chosen, dtype=bool)
