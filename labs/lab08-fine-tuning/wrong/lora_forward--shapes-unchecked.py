"""What does not fit is broadcast where NumPy can."""

# fails: refuses_what_does_not_fit


def lora_forward(inputs, layer):
    outputs = inputs @ layer["weight"].T
    if layer["merged"]:
        return outputs
    scale = layer["alpha"] / len(layer["down"])
    return outputs + scale * (inputs @ layer["down"].T @ layer["up"].T)
