"""The change is added whether or not it is in the weights."""

# fails: counts_a_merged_change_once

# ruff: noqa: F821 (the other names are those of the lab)


def lora_forward(inputs, layer):
    require_fit(layer)
    outputs = inputs @ layer["weight"].T
    scale = layer["alpha"] / len(layer["down"])
    return outputs + scale * (inputs @ layer["down"].T @ layer["up"].T)
