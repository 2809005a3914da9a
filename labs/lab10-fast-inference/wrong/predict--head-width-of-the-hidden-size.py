"""Queries are taken to be as wide as the hidden size, whatever the heads say."""

# fails: counts_operations_of_decoding


def predict(model, phase, batch, length, weight_bytes, value_bytes, device):
    if phase not in ("prefill", "decode") or batch < 1 or length < 1:
        raise ValueError(f"Expected prefill or decode and numbers from 1 on; got {phase!r}, {batch}, {length}.")
    width = model["hidden_size"]
    layer = 2 * width * (width + model["head_dim"] * model["n_kv_heads"]) + 3 * width * model["intermediate_size"]
    layers, head = model["n_layers"] * layer, model["vocab_size"] * width
    new, pairs = (length, length * (length + 1) // 2) if phase == "prefill" else (1, length)
    attention = 4 * model["n_layers"] * model["n_heads"] * model["head_dim"] * pairs
    flops = batch * (2 * (layers * new + head) + attention)
    cache = 2 * model["n_layers"] * model["n_kv_heads"] * model["head_dim"] * batch * length * value_bytes
    moved = (layers + head) * weight_bytes + cache
    held = moved if model["tie_embeddings"] else moved + head * weight_bytes
    computing, moving = flops / device["flops"], moved / device["bytes"]
    bound = "memory" if moving >= computing else "compute"
    numbers = {"flops": flops, "bytes": moved, "held": held, "seconds": max(computing, moving)}
    return {name: float(value) for name, value in numbers.items()} | {"bound": bound}
