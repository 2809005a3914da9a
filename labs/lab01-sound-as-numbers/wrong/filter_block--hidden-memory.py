"""The past is kept in the function and not in the state: two streams hear each other."""

# fails: keeps_streams_apart

import numpy as np


def filter_block(block, kernel, state):
    block, kernel = np.asarray(block, dtype=float), np.asarray(kernel, dtype=float)
    if block.ndim != 1 or kernel.ndim != 1 or kernel.size == 0:
        raise ValueError("expected a block (n_samples,) and a kernel (n_taps,)")
    if state is None or filter_block.past.size != kernel.size - 1:
        filter_block.past = np.zeros(kernel.size - 1)
    known = np.concatenate([filter_block.past, block])
    output = np.convolve(known, kernel, mode="valid") if block.size else np.zeros(0)
    filter_block.past = known[block.size :]
    return output, filter_block.past
