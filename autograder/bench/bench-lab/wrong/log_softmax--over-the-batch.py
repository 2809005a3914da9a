"""The softmax runs over the wrong axis."""
# fails: agrees_with_the_sum

import torch


def log_softmax(logits):
    return torch.log_softmax(torch.from_numpy(logits), dim=0).numpy()
