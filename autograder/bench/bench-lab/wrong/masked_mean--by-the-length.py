"""The sum is divided by the row's length."""
# fails: counts_true_places

import torch


def masked_mean(values, mask):
    return (torch.from_numpy(values) * torch.from_numpy(mask)).mean(dim=1).numpy()
