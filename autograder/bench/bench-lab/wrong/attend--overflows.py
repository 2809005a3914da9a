"""The softmax is written out without taking the largest score out first."""
# fails: looks_at_the_best_key

import torch


def attend(query, keys, values):
    query, keys, values = map(torch.from_numpy, (query, keys, values))
    weights = torch.exp(keys @ query / keys.shape[1] ** 0.5)
    return (weights / weights.sum() @ values).numpy()
