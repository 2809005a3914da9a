"""The factor 2 is applied at 0 Hz and at half the sample rate too."""

# fails: reads_both_ends_once

import numpy as np


def tone_amplitude(frames, frequency, sample_rate):
    frames = np.asarray(frames, dtype=float)
    n_samples = frames.shape[-1]
    if n_samples < 8 or not 0 <= frequency <= sample_rate / 2:
        raise ValueError("frame too short or frequency out of range")
    window = np.hanning(n_samples)
    turning = np.exp(-2j * np.pi * frequency * np.arange(n_samples) / sample_rate)
    return 2 * np.abs(frames @ (window * turning)) / window.sum()
