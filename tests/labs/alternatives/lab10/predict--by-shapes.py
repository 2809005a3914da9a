"""Shapes in a list, and the two roofs compared by a sort."""

import numpy as np


def predict(model, phase, batch, length, weight_bytes, value_bytes, device):
    if batch < 1 or length < 1:
        raise ValueError("a batch and a length of 1 or more, please")
    if phase not in {"prefill", "decode"}:
        raise ValueError(f"{phase} is no phase")
    d, q, kv = model["hidden_size"], model["n_heads"] * model["head_dim"], model["n_kv_heads"] * model["head_dim"]
    shapes = [(q, d), (kv, d), (kv, d), (d, q)] + 3 * [(model["intermediate_size"], d)]
    in_layers = model["n_layers"] * sum(int(np.prod(shape)) for shape in shapes)
    output = model["vocab_size"] * d
    sees = np.arange(1, length + 1) if phase == "prefill" else np.array([length])
    flops = batch * (2 * len(sees) * in_layers + 2 * output + 4 * q * model["n_layers"] * int(sees.sum()))
    moved = weight_bytes * (in_layers + output) + value_bytes * batch * length * 2 * kv * model["n_layers"]
    held = moved + (not model["tie_embeddings"]) * output * weight_bytes
    seconds, bound = max([(moved / device["bytes"], "memory"), (flops / device["flops"], "compute")])
    return {"flops": flops, "bytes": moved, "held": held, "seconds": seconds, "bound": bound}
