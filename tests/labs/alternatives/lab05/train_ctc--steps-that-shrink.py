"""Plain steps, recording by recording, shorter in every pass."""

# ruff: noqa: F821 (the other names are those of the lab)

import numpy as np


def train_ctc(inputs, targets, n_symbols):
    if len(inputs) != len(targets) or len(inputs) == 0:
        raise ValueError("recordings and texts have to be as many")
    weights = np.zeros((inputs[0].shape[1], n_symbols))
    heard = False
    for number in range(15):
        for frames, target in zip(inputs, targets, strict=True):
            loss, gradient = ctc_gradient(frames @ weights, target)
            if np.isfinite(loss) and len(frames):
                heard = True
                weights -= 0.6 / (1 + number / 3) * frames.T @ gradient / len(frames)
    if not heard:
        raise ValueError("every recording is too short for its text")
    return weights
