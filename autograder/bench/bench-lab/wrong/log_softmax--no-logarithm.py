"""Probabilities are returned, not their logarithms."""
# fails: agrees_with_the_sum

import torch


def log_softmax(logits):
    return torch.softmax(torch.from_numpy(logits), dim=-1).numpy()
