"""No window: the frame begins and ends abruptly, and other tones leak in."""

# fails: keeps_other_tones_out

import numpy as np


def tone_amplitude(frames, frequency, sample_rate):
    frames = np.asarray(frames, dtype=float)
    n_samples = frames.shape[-1]
    if n_samples < 8 or not 0 <= frequency <= sample_rate / 2:
        raise ValueError("frame too short or frequency out of range")
    turning = np.exp(-2j * np.pi * frequency * np.arange(n_samples) / sample_rate)
    halves = 2 if 0 < frequency < sample_rate / 2 else 1
    return halves * np.abs(frames @ turning) / n_samples
