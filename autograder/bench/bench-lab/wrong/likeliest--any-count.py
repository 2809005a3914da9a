"""A count that is too large or zero is cut silently."""
# fails: refuses_other_counts

import torch


def likeliest(logits, k):
    return torch.argsort(torch.from_numpy(logits), descending=True)[:k].numpy()
