"""Sixteen hexadecimal digits against the share of 2 ** 64, each group once."""

import hashlib

import numpy as np


def split_groups(groups, share, seed):
    if share < 0 or share > 1:
        raise ValueError("a share lies between 0 and 1")
    sides = {}
    for group in set(groups):
        digits = hashlib.sha256((str(seed) + "/" + group).encode("utf-8")).hexdigest()
        sides[group] = int(digits[:16], 16) < share * 2**64
    return np.fromiter((sides[group] for group in groups), dtype=bool, count=len(groups))
