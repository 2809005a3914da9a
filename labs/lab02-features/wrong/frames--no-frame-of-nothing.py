"""An empty signal gets no frame, where the text says one."""

# fails: frames_the_shortest_signals

import numpy as np


def frames(signal, frame_length, hop_length):
    signal = np.asarray(signal, dtype=float)
    if signal.ndim != 1 or frame_length < 1 or hop_length < 1:
        raise ValueError("expected (n_samples,) and lengths of 1 or more")
    if signal.size == 0:
        return np.zeros((0, frame_length))
    padded = np.pad(signal, (frame_length // 2, frame_length))
    windows = np.lib.stride_tricks.sliding_window_view(padded, frame_length)
    return windows[::hop_length][: 1 + signal.size // hop_length]
