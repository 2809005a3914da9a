"""What is sent is counted for a single sequence."""

# fails: counts_what_is_sent

import numpy as np


def share_block(block, world, batch, device):
    sizes = (len(block["gate"]), block["n_heads"], block["n_kv_heads"])
    if world < 1 or any(size % world for size in sizes):
        raise ValueError(f"{world} processes cannot share {sizes} columns, heads and heads of keys evenly.")
    parts = [{name: block[name] // world for name in ("n_heads", "n_kv_heads")} for _ in range(world)]
    n_bytes = 0
    for name in ("gate", "up", "query", "key", "value", "down", "output"):
        n_bytes += 4 * block[name].size
        axis = 1 if name in ("down", "output") else 0
        for part, matrix in zip(parts, np.split(block[name], world, axis=axis), strict=True):
            part[name] = matrix
    sent = 2 * 2 * (world - 1) / world * len(block["down"]) * 4
    alone = n_bytes / device["bytes"]
    sums = 2 * device["latency"] + sent / device["link"] if world > 1 else 0.0
    return {"parts": parts, "sent": sent, "alone": alone, "shared": alone / world + sums}
