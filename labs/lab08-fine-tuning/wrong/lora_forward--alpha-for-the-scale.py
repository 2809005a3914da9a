"""The change is scaled by alpha; the rank is forgotten."""

# fails: scales_by_alpha_over_rank

# ruff: noqa: F821 (the other names are those of the lab)


def lora_forward(inputs, layer):
    require_fit(layer)
    outputs = inputs @ layer["weight"].T
    if layer["merged"]:
        return outputs
    scale = layer["alpha"]
    return outputs + scale * (inputs @ layer["down"].T @ layer["up"].T)
