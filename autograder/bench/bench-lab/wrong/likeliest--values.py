"""The logits are returned in place of their indices."""
# fails: orders_by_logit

import torch


def likeliest(logits, k):
    return torch.topk(torch.from_numpy(logits), k).values.numpy()
