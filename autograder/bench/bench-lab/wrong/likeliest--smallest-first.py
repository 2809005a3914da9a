"""The order is turned round."""
# fails: orders_by_logit

import torch


def likeliest(logits, k):
    return torch.argsort(torch.from_numpy(logits))[-k:].numpy()
