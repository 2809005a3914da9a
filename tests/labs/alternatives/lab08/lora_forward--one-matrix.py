"""Weights and change in one matrix, and a product of tensors over the last axis."""

# ruff: noqa: F821 (the other names are those of the lab)

import numpy as np


def lora_forward(inputs, layer):
    require_fit(layer)
    weight = np.array(layer["weight"], dtype=float)
    if not layer["merged"]:
        rank = layer["up"].shape[1]
        weight += np.matmul(layer["up"], layer["down"]) * (layer["alpha"] / rank)
    return np.tensordot(inputs, weight, axes=(-1, 1))
