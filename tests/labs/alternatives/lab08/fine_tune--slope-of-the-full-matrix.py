"""The slope of the full matrix first, then A's and B's from it; losses by log-sum-exp; A row by row."""

import numpy as np


def fine_tune(weight, inputs, labels, rank, alpha, n_steps, learning_rate, seed):
    labels = np.array(labels)
    if labels.shape != (len(inputs),) or labels.size == 0:
        raise ValueError("one label for each row, please, and one row at least")
    if labels.min() < 0 or labels.max() >= len(weight):
        raise ValueError(f"labels have to lie between 0 and {len(weight) - 1}")
    rng = np.random.RandomState(seed)
    down = np.stack([rng.normal(0.0, weight.shape[1] ** -0.5, weight.shape[1]) for _ in range(rank)])
    up = np.zeros((len(weight), rank))
    rows, losses = np.arange(len(labels)), np.empty(n_steps)
    for step in range(n_steps):
        scores = inputs @ (weight + alpha / rank * up @ down).T
        total = np.logaddexp.reduce(scores, axis=1)
        losses[step] = np.mean(total - scores[rows, labels])
        shares = np.exp(scores - total[:, np.newaxis])
        shares[rows, labels] -= 1
        full = shares.T @ inputs * (alpha / rank / len(labels))
        up, down = up - learning_rate * full @ down.T, down - learning_rate * up.T @ full
    return {"weight": weight.copy(), "down": down, "up": up, "alpha": alpha, "merged": False}, losses
