"""A loop that copies what there is of each frame."""

import numpy as np


def frames(signal, frame_length, hop_length):
    signal = np.asarray(signal, dtype=float)
    if signal.ndim != 1:
        raise ValueError("expected one channel")
    if min(frame_length, hop_length) < 1:
        raise ValueError("expected lengths of 1 or more")
    cut = np.zeros((1 + len(signal) // hop_length, frame_length))
    for t, frame in enumerate(cut):
        start = t * hop_length - frame_length // 2
        piece = signal[max(start, 0) : max(start + frame_length, 0)]
        offset = max(-start, 0)
        frame[offset : offset + len(piece)] = piece
    return cut
