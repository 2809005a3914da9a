"""Half a frame before and after: of odd frames the last one is lost when it is centred on the end."""

# fails: counts_the_frames

import numpy as np


def frames(signal, frame_length, hop_length):
    signal = np.asarray(signal, dtype=float)
    if signal.ndim != 1 or frame_length < 1 or hop_length < 1:
        raise ValueError("expected (n_samples,) and lengths of 1 or more")
    padded = np.pad(signal, frame_length // 2)
    n_frames = max(1 + (padded.size - frame_length) // hop_length, 1)
    padded = np.pad(padded, (0, max(frame_length - padded.size, 0)))
    return np.stack([padded[t * hop_length :][:frame_length] for t in range(n_frames)])
