"""With a single tap the slice [-0:] is the whole block, which then comes out again in the next."""

# fails: knows_empty_blocks_and_single_taps

import numpy as np


def filter_block(block, kernel, state):
    block, kernel = np.asarray(block, dtype=float), np.asarray(kernel, dtype=float)
    if block.ndim != 1 or kernel.ndim != 1 or kernel.size == 0:
        raise ValueError("expected a block (n_samples,) and a kernel (n_taps,)")
    past = np.zeros(kernel.size - 1) if state is None else np.asarray(state, dtype=float)
    known = np.concatenate([past, block])
    output = np.convolve(known, kernel)[past.size : known.size] if known.size else np.zeros(0)
    return output, known[-(kernel.size - 1) :]
