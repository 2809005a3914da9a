"""The change is returned, without what the frozen layer says."""

# fails: adds_the_change

# ruff: noqa: F821 (the other names are those of the lab)


def lora_forward(inputs, layer):
    require_fit(layer)
    outputs = inputs @ layer["weight"].T
    if layer["merged"]:
        return outputs
    scale = layer["alpha"] / len(layer["down"])
    return scale * (inputs @ layer["down"].T @ layer["up"].T)
