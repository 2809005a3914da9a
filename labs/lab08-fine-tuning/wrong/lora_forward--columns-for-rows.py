"""Inputs are taken as columns, which needs exactly two axes."""

# fails: takes_batches_of_any_shape

# ruff: noqa: F821 (the other names are those of the lab)


def lora_forward(inputs, layer):
    require_fit(layer)
    outputs = (layer["weight"] @ inputs.T).T
    if layer["merged"]:
        return outputs
    scale = layer["alpha"] / len(layer["down"])
    return outputs + scale * (inputs @ layer["down"].T @ layer["up"].T)
