"""The mean slope of all recordings, with momentum, from small random weights."""

# ruff: noqa: F821 (the other names are those of the lab)

import numpy as np


def train_ctc(inputs, targets, n_symbols):
    if len(inputs) != len(targets):
        raise ValueError("every recording needs one text")
    lessons = [
        (frames, target)
        for frames, target in zip(inputs, targets, strict=True)
        if len(frames) and ctc_log_likelihood(np.zeros((len(frames), n_symbols)), target) > -np.inf
    ]
    if not lessons:
        raise ValueError("no recording is long enough for its text")
    weights = 0.01 * np.random.default_rng(0).standard_normal((lessons[0][0].shape[1], n_symbols))
    speed, n_frames = 0 * weights, sum(len(frames) for frames, _ in lessons)
    for _ in range(60):
        slope = 0
        for frames, target in lessons:
            slope = slope + frames.T @ ctc_gradient(frames @ weights, target)[1]
        speed = 0.9 * speed - slope / n_frames
        weights = weights + speed
    return weights
