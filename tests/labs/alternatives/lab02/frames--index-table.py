"""A table of sample numbers, and silence where there is no such sample."""

import numpy as np


def frames(signal, frame_length, hop_length):
    signal = np.asarray(signal, dtype=float)
    if signal.ndim != 1 or frame_length < 1 or hop_length < 1:
        raise ValueError("expected (n_samples,) and lengths of 1 or more")
    starts = np.arange(1 + len(signal) // hop_length) * hop_length - frame_length // 2
    index = starts[:, None] + np.arange(frame_length)
    cut = np.zeros(index.shape)
    there = (index >= 0) & (index < len(signal))
    cut[there] = signal[index[there]]
    return cut
