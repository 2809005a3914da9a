"""A row without any true place is divided by zero."""
# fails: rows_without_any_are_zero

import torch


def masked_mean(values, mask):
    values, mask = torch.from_numpy(values), torch.from_numpy(mask)
    return ((values * mask).sum(dim=1) / mask.sum(dim=1)).numpy()
