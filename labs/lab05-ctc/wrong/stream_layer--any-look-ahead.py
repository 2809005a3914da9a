"""Whether the look-ahead fits the kernel is left to numpy, which only sometimes minds."""

# fails: refuses_layers_that_do_not_fit

import numpy as np


def stream_layer(chunk, state, kernel, ahead, last):
    width, n_in, n_out = kernel.shape
    if np.ndim(chunk) != 2 or np.shape(chunk)[1] != n_in:
        raise ValueError(f"Expected a chunk (n, {n_in}); got {np.shape(chunk)}.")
    before = np.zeros((width - 1 - ahead, n_in)) if state is None else state
    after = np.zeros((ahead if last else 0, n_in))
    heard = np.concatenate([before, chunk, after])
    n_ready = max(0, len(heard) - (width - 1))
    outputs = np.zeros((n_ready, n_out))
    for place in range(width):
        outputs += heard[place : place + n_ready] @ kernel[place]
    return outputs, heard[n_ready:]
