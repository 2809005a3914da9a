"""A Python loop over samples and taps: right, and hundreds of times too slow."""

# fails: keeps_up_with_long_blocks

import numpy as np


def filter_block(block, kernel, state):
    block, kernel = np.asarray(block, dtype=float), np.asarray(kernel, dtype=float)
    if block.ndim != 1 or kernel.ndim != 1 or kernel.size == 0:
        raise ValueError("expected a block (n_samples,) and a kernel (n_taps,)")
    past = np.zeros(kernel.size - 1) if state is None else np.asarray(state, dtype=float)
    known = np.concatenate([past, block])
    output = np.zeros(block.size)
    for n in range(block.size):
        for k in range(kernel.size):
            output[n] += kernel[k] * known[past.size + n - k]
    return output, known[block.size :]
