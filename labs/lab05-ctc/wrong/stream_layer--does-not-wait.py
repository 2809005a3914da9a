"""Outputs are given at once, with zeros for the frames ahead that have not come yet."""

# fails: does_not_care_how_it_is_cut

import numpy as np


def stream_layer(chunk, state, kernel, ahead, last):
    width, n_in, n_out = kernel.shape
    if not 0 <= ahead < width or np.ndim(chunk) != 2 or np.shape(chunk)[1] != n_in:
        raise ValueError("the chunk or the look-ahead does not fit the kernel")
    past = width - 1 - ahead
    before = np.zeros((past, n_in)) if state is None else state
    heard = np.concatenate([before, chunk, np.zeros((ahead, n_in))])
    outputs = np.zeros((len(chunk), n_out))
    for place in range(width):
        outputs += heard[place : place + len(chunk)] @ kernel[place]
    return outputs, np.concatenate([before, chunk])[len(chunk) :]
