"""The root of the width is forgotten."""
# fails: agrees_with_the_loop

import torch


def attend(query, keys, values):
    query, keys, values = map(torch.from_numpy, (query, keys, values))
    return (torch.softmax(keys @ query, dim=0) @ values).numpy()
