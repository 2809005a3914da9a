"""Slices by rank, and the ring counted in its two halves."""


def share_block(block, world, batch, device):
    uneven = world < 1 or len(block["up"]) % world or block["n_heads"] % world or block["n_kv_heads"] % world
    if uneven:
        raise ValueError(f"{world} processes do not get equal parts of this layer")
    parts = []
    for rank in range(world):
        part = dict(block, n_heads=block["n_heads"] // world, n_kv_heads=block["n_kv_heads"] // world)
        for name in ("gate", "up", "query", "key", "value", "down", "output"):
            matrix = block[name] if name not in ("down", "output") else block[name].T
            size = len(matrix) // world
            mine = matrix[rank * size : (rank + 1) * size]
            part[name] = (mine if name not in ("down", "output") else mine.T).copy()
        parts.append(part)
    alone = 4 * sum(one.size for one in block.values() if hasattr(one, "size")) / device["bytes"]
    chunk = 4 * batch * block["output"].shape[0] / world
    one_sum = 2 * (world - 1) * chunk  # scattered and summed, then gathered
    shared = alone / world
    if world > 1:
        shared += 2 * (device["latency"] + one_sum / device["link"])
    return {"parts": parts, "sent": 2 * one_sum, "alone": alone, "shared": shared}
