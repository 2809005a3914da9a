"""The state is what is still to come out: overlap-add."""

import numpy as np


def filter_block(block, kernel, state):
    block, kernel = np.asarray(block, dtype=float), np.asarray(kernel, dtype=float)
    if block.ndim != 1 or kernel.ndim != 1 or kernel.size == 0:
        raise ValueError("expected a block (n_samples,) and a kernel (n_taps,)")
    pending = np.zeros(kernel.size - 1) if state is None else np.asarray(state)
    if block.size == 0:
        return np.zeros(0), pending
    full = np.convolve(block, kernel)
    full[: pending.size] += pending
    return full[: block.size], full[block.size :]
