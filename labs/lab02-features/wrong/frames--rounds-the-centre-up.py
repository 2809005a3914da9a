"""The centre of an odd frame stands one place too late."""

# fails: centres_odd_frames

import numpy as np


def frames(signal, frame_length, hop_length):
    signal = np.asarray(signal, dtype=float)
    if signal.ndim != 1 or frame_length < 1 or hop_length < 1:
        raise ValueError("expected (n_samples,) and lengths of 1 or more")
    padded = np.pad(signal, ((frame_length + 1) // 2, frame_length))
    windows = np.lib.stride_tricks.sliding_window_view(padded, frame_length)
    return windows[::hop_length][: 1 + signal.size // hop_length]
