"""A share of 20 (per cent) is taken for all."""

# fails: refuses_what_is_no_share

import hashlib

import numpy as np


def split_groups(groups, share, seed):
    chosen = []
    for group in groups:
        digest = hashlib.sha256(f"{seed}/{group}".encode()).digest()
        chosen.append(int.from_bytes(digest[:8], "big") / 2**64 < share)
    return np.array(chosen, dtype=bool)
