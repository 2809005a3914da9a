"""The scores are scaled by the number of keys and not by their width."""
# fails: agrees_with_the_loop

import torch


def attend(query, keys, values):
    query, keys, values = map(torch.from_numpy, (query, keys, values))
    return (torch.softmax(keys @ query / len(keys) ** 0.5, dim=0) @ values).numpy()
