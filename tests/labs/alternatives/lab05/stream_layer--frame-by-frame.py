"""A queue of the last frames; frames in, outputs out, one at a time."""

import numpy as np


def stream_layer(chunk, state, kernel, ahead, last):
    width, n_in, n_out = kernel.shape
    chunk = np.asarray(chunk)
    if ahead < 0 or ahead >= width:
        raise ValueError("the look-ahead is not inside the kernel")
    if chunk.ndim != 2 or chunk.shape[1] != n_in:
        raise ValueError("the chunk has other features than the kernel")
    queue = list(state["queue"]) if state else [np.zeros(n_in)] * (width - 1 - ahead)
    outputs = []
    for frame in [*chunk, *([np.zeros(n_in)] * (ahead if last else 0))]:
        queue.append(frame)
        if len(queue) == width:
            outputs.append(sum(one @ weights for one, weights in zip(queue, kernel, strict=True)))
            queue.pop(0)
    return np.array(outputs).reshape(-1, n_out), {"queue": queue}
