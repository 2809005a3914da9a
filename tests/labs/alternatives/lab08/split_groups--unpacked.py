"""By struct, largest byte first."""

import hashlib
import struct

import numpy as np


def split_groups(groups, share, seed):
    if not (share >= 0.0 and share <= 1.0):
        raise ValueError(f"{share} is no share")
    chosen = np.zeros(len(groups), dtype=bool)
    for k, group in enumerate(groups):
        (number,) = struct.unpack(">Q", hashlib.sha256(f"{seed}/{group}".encode()).digest()[:8])
        chosen[k] = number / 2.0**64 < share
    return chosen
