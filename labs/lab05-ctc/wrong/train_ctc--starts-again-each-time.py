"""The weights of each pass begin at zero again."""

# fails: writes_what_new_recordings_say

# ruff: noqa: F821 (the other names are those of the lab)

import numpy as np


def train_ctc(inputs, targets, n_symbols):
    if len(inputs) != len(targets):
        raise ValueError(f"Expected a target for each recording; got {len(targets)} for {len(inputs)}.")
    weights = np.zeros((inputs[0].shape[1] if inputs else 0, n_symbols))
    velocity = np.zeros(weights.shape)
    learned = 0
    for step in np.linspace(0.1, 0.01, 20):
        weights = weights * 0
        velocity = velocity * 0
        for frames, target in zip(inputs, targets, strict=False):
            loss, gradient = ctc_gradient(frames @ weights, target)
            if loss == np.inf or len(frames) == 0:
                continue
            velocity = 0.9 * velocity - 0.2 * step * frames.T @ gradient / len(frames)
            weights = weights + velocity
            learned += 1
    if learned == 0:
        raise ValueError("Expected a recording that is long enough for its target; got none.")
    return weights
