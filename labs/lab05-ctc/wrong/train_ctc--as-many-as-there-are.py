"""More recordings than texts: the rest is left out without a word."""

# fails: refuses_lessons_that_teach_nothing

# ruff: noqa: F821 (the other names are those of the lab)

import numpy as np


def train_ctc(inputs, targets, n_symbols):
    weights = np.zeros((inputs[0].shape[1] if inputs else 0, n_symbols))
    velocity = np.zeros(weights.shape)
    learned = 0
    for step in np.linspace(0.1, 0.01, 20):
        for frames, target in zip(inputs, targets, strict=False):
            loss, gradient = ctc_gradient(frames @ weights, target)
            if loss == np.inf or len(frames) == 0:
                continue
            velocity = 0.9 * velocity - step * frames.T @ gradient / len(frames)
            weights = weights + velocity
            learned += 1
    if learned == 0:
        raise ValueError("Expected a recording that is long enough for its target; got none.")
    return weights
