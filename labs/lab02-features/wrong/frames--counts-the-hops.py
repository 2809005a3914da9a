"""One frame for each hop that has begun: none is centred on the end."""

# fails: counts_the_frames

import numpy as np


def frames(signal, frame_length, hop_length):
    signal = np.asarray(signal, dtype=float)
    if signal.ndim != 1 or frame_length < 1 or hop_length < 1:
        raise ValueError("expected (n_samples,) and lengths of 1 or more")
    n_frames = max(-(-signal.size // hop_length), 1)
    padded = np.pad(signal, (frame_length // 2, frame_length))
    windows = np.lib.stride_tricks.sliding_window_view(padded, frame_length)
    return windows[::hop_length][:n_frames]
