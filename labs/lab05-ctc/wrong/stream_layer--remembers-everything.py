"""The whole stream is kept, and computed again with every chunk."""

# fails: keeps_a_small_state

import numpy as np


def stream_layer(chunk, state, kernel, ahead, last):
    width, n_in, n_out = kernel.shape
    if not 0 <= ahead < width or np.ndim(chunk) != 2 or np.shape(chunk)[1] != n_in:
        raise ValueError("the chunk or the look-ahead does not fit the kernel")
    before, given = (np.zeros((width - 1 - ahead, n_in)), 0) if state is None else state
    heard = np.concatenate([before, chunk])
    padded = np.concatenate([heard, np.zeros((ahead if last else 0, n_in))])
    n_ready = max(0, len(padded) - (width - 1))
    outputs = np.zeros((n_ready, n_out))
    for place in range(width):
        outputs += padded[place : place + n_ready] @ kernel[place]
    return outputs[given:], (heard, n_ready)
