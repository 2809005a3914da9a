"""A convolution turns the kernel round; this layer does not."""

# fails: is_the_sum_as_it_is_written

import numpy as np


def stream_layer(chunk, state, kernel, ahead, last):
    width, n_in, n_out = kernel.shape
    if not 0 <= ahead < width:
        raise ValueError(f"Expected to look 0 to {width - 1} frames ahead; got {ahead}.")
    if np.ndim(chunk) != 2 or np.shape(chunk)[1] != n_in:
        raise ValueError(f"Expected a chunk (n, {n_in}); got {np.shape(chunk)}.")
    before = np.zeros((width - 1 - ahead, n_in)) if state is None else state
    after = np.zeros((ahead if last else 0, n_in))
    heard = np.concatenate([before, chunk, after])
    n_ready = max(0, len(heard) - (width - 1))
    outputs = np.zeros((n_ready, n_out))
    for place in range(width):
        outputs += heard[place : place + n_ready] @ kernel[width - 1 - place]
    return outputs, heard[n_ready:]
