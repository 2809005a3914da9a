"""The frames overlap."""
# fails: counts_whole_frames

import numpy as np


def loud_share(signal, length, threshold):
    frames = np.lib.stride_tricks.sliding_window_view(signal, length)[:: length // 2]
    return float(np.mean(np.sqrt(np.mean(frames**2, axis=1)) > threshold))
