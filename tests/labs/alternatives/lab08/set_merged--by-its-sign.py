"""How often the change has to be added: once, minus once, or not at all."""

# ruff: noqa: F821 (the other names are those of the lab)

import numpy as np


def set_merged(layer, merged):
    require_fit(layer)
    times = int(merged) - int(layer["merged"])
    after = layer.copy()
    after["merged"] = bool(merged)
    after["weight"] = layer["weight"].copy()
    if times:
        change = np.einsum("or,ri->oi", layer["up"], layer["down"]) * layer["alpha"] / layer["up"].shape[1]
        after["weight"] = (layer["weight"] + times * change).astype(layer["weight"].dtype)
    return after
