"""A and B are multiplied in the wrong order, and transposed until the shapes fit."""

# fails: adds_the_change

# ruff: noqa: F821 (the other names are those of the lab)


def lora_forward(inputs, layer):
    require_fit(layer)
    outputs = inputs @ layer["weight"].T
    if layer["merged"]:
        return outputs
    scale = layer["alpha"] / len(layer["down"])
    return outputs + scale * (inputs @ (layer["down"].T @ layer["up"].T)[::-1])
