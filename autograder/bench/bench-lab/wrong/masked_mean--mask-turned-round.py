"""What the mask leaves out is averaged."""
# fails: counts_true_places

import torch


def masked_mean(values, mask):
    values, mask = torch.from_numpy(values), ~torch.from_numpy(mask)
    return ((values * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1)).numpy()
