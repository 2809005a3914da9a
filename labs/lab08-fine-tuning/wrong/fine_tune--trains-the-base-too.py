"""The frozen weights take their step as well."""

# fails: leaves_the_frozen_weights_alone

# ruff: noqa: F821 (the other names are those of the lab)

import numpy as np


def fine_tune(weight, inputs, labels, rank, alpha, n_steps, learning_rate, seed):
    n_out, n_in = weight.shape
    labels = np.asarray(labels)
    if len(labels) == 0 or len(labels) != len(inputs):
        raise ValueError(f"Expected a label for each of at least one row; got {len(labels)} for {len(inputs)}.")
    if np.any(labels < 0) or np.any(labels >= n_out):
        raise ValueError(f"Expected labels from 0 to {n_out - 1}; got {sorted(set(labels.tolist()))}.")
    wanted = np.eye(n_out)[labels]
    down = np.random.default_rng(seed).standard_normal((rank, n_in)) / np.sqrt(n_in)
    up = np.zeros((n_out, rank))
    scale, losses = alpha / rank, []
    for _ in range(n_steps):
        layer = {"weight": weight, "down": down, "up": up, "alpha": alpha, "merged": False}
        said = log_softmax(lora_forward(inputs, layer))
        losses.append(-np.mean(np.sum(wanted * said, axis=1)))
        slope = (np.exp(said) - wanted) / len(labels)
        weight = weight - learning_rate * slope.T @ inputs
        slope_down = scale * (slope @ up).T @ inputs
        slope_up = scale * slope.T @ (inputs @ down.T)
        down, up = down - learning_rate * slope_down, up - learning_rate * slope_up
    layer = {"weight": weight, "down": down, "up": up, "alpha": alpha, "merged": False}
    return layer, np.array(losses, dtype=float)
