"""Fast convolution of the known samples."""

import numpy as np


def filter_block(block, kernel, state):
    block, kernel = np.asarray(block, dtype=float), np.asarray(kernel, dtype=float)
    if block.ndim != 1 or kernel.ndim != 1 or kernel.size == 0:
        raise ValueError("expected a block (n_samples,) and a kernel (n_taps,)")
    past = np.zeros(kernel.size - 1) if state is None else np.asarray(state, dtype=float)
    known = np.concatenate([past, block])
    n_fft = known.size + kernel.size
    full = np.fft.irfft(np.fft.rfft(known, n_fft) * np.fft.rfft(kernel, n_fft), n_fft)
    return full[past.size : known.size], known[known.size - past.size :]
