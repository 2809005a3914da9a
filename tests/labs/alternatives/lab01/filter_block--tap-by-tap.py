"""One array operation for each tap."""

import numpy as np


def filter_block(block, kernel, state):
    block, kernel = np.asarray(block, dtype=float), np.asarray(kernel, dtype=float)
    if block.ndim != 1 or kernel.ndim != 1 or kernel.size == 0:
        raise ValueError("expected a block (n_samples,) and a kernel (n_taps,)")
    past = np.zeros(kernel.size - 1) if state is None else np.asarray(state, dtype=float)
    known = np.concatenate([past, block])
    output = np.zeros(block.size)
    for k, tap in enumerate(kernel):
        output += tap * known[past.size - k : known.size - k]
    return output, known[block.size :].copy()
