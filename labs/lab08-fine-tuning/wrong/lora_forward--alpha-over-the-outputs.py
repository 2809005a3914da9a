"""The length of B is taken for the rank."""

# fails: adds_the_change

# ruff: noqa: F821 (the other names are those of the lab)


def lora_forward(inputs, layer):
    require_fit(layer)
    outputs = inputs @ layer["weight"].T
    if layer["merged"]:
        return outputs
    scale = layer["alpha"] / len(layer["up"])
    return outputs + scale * (inputs @ layer["down"].T @ layer["up"].T)
