"""Alpha over the root of the rank, as rank-stabilised LoRA has it."""

# fails: scales_by_alpha_over_rank

# ruff: noqa: F821 (the other names are those of the lab)

import numpy as np


def lora_forward(inputs, layer):
    require_fit(layer)
    outputs = inputs @ layer["weight"].T
    if layer["merged"]:
        return outputs
    scale = layer["alpha"] / np.sqrt(len(layer["down"]))
    return outputs + scale * (inputs @ layer["down"].T @ layer["up"].T)
