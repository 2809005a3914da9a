"""The peak of each frame is compared."""
# fails: counts_whole_frames

import numpy as np


def loud_share(signal, length, threshold):
    frames = signal[: len(signal) // length * length].reshape(-1, length)
    return float(np.mean(np.abs(frames).max(axis=1) > threshold))
