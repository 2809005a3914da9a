"""The state is the whole signal so far, and each block convolves all of it again."""

# fails: joins_equal_blocks

import numpy as np


def filter_block(block, kernel, state):
    block, kernel = np.asarray(block, dtype=float), np.asarray(kernel, dtype=float)
    if block.ndim != 1 or kernel.ndim != 1 or kernel.size == 0:
        raise ValueError("expected a block (n_samples,) and a kernel (n_taps,)")
    known = block if state is None else np.concatenate([state, block])
    output = np.convolve(known, kernel)[known.size - block.size : known.size] if known.size else np.zeros(0)
    return output, known
