"""A loop over all lags: right, and quadratic in the length."""

# fails: keeps_up_with_long_signals

import numpy as np


def difference(frames, max_lag):
    frames = np.asarray(frames, dtype=float)
    n = frames.shape[-1] if frames.ndim else 0
    if not 0 <= max_lag < n:
        raise ValueError("the lag does not fit")
    width = n - max_lag
    curve = np.empty((*frames.shape[:-1], max_lag + 1))
    for lag in range(max_lag + 1):
        curve[..., lag] = np.sum((frames[..., :width] - frames[..., lag : lag + width]) ** 2, axis=-1)
    return curve
