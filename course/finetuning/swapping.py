"""What is left of a matrix after changes were merged into it and taken out again (Lecture 9, experiment 1)."""

import torch
from torch import Tensor


@torch.no_grad()
def swap_damage(weight: Tensor, swaps: int, rank: int, size: float = 1.0, seed: int = 0) -> list[float]:
    """Add and subtract random changes of low rank, one after the other, in the matrix's own precision.

    Args:
        weight: ``(out, in)``; it is copied.
        swaps: how many changes come and go.
        rank: of each.
        size: norm of each change, as a share of the matrix's.
        seed: of the changes.

    Returns:
        After each swap, the norm of what is left over as a share of the matrix's norm.

    Raises:
        ValueError: fewer than one swap, a rank below 1 or a size of 0 or less.
    """
    if swaps < 1 or rank < 1 or not size > 0:
        raise ValueError(
            f"At least one swap, a rank of 1 or more and a size above 0 were expected; {swaps}, {rank} and {size} came."
        )
    generator = torch.Generator().manual_seed(seed)
    exact, swapped, errors = weight.float(), weight.clone(), []
    for _ in range(swaps):
        change = torch.randn(weight.shape[0], rank, generator=generator)
        change = change @ torch.randn(rank, weight.shape[1], generator=generator)
        change = (change * (size * exact.norm() / change.norm())).to(weight.dtype)
        swapped += change
        swapped -= change
        errors.append(float((swapped.float() - exact).norm() / exact.norm()))
    return errors
