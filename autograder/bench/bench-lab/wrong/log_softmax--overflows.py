"""The exponentials are taken before the maximum is out."""
# fails: survives_large_logits

import torch


def log_softmax(logits):
    scores = torch.from_numpy(logits)
    return torch.log(torch.exp(scores) / torch.exp(scores).sum(dim=-1, keepdim=True)).numpy()
