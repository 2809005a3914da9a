"""Every block is filtered as if silence came before it: a click at each seam."""

# fails: joins_equal_blocks

import numpy as np


def filter_block(block, kernel, state):
    block, kernel = np.asarray(block, dtype=float), np.asarray(kernel, dtype=float)
    if block.ndim != 1 or kernel.ndim != 1 or kernel.size == 0:
        raise ValueError("expected a block (n_samples,) and a kernel (n_taps,)")
    output = np.convolve(block, kernel)[: block.size] if block.size else np.zeros(0)
    return output, np.zeros(kernel.size - 1)
