"""Divides by the number of samples, although the Hann window has taken away half of them."""

# fails: reads_a_tone_between_bins

import numpy as np


def tone_amplitude(frames, frequency, sample_rate):
    frames = np.asarray(frames, dtype=float)
    n_samples = frames.shape[-1]
    if n_samples < 8 or not 0 <= frequency <= sample_rate / 2:
        raise ValueError("frame too short or frequency out of range")
    window = np.hanning(n_samples)
    turning = np.exp(-2j * np.pi * frequency * np.arange(n_samples) / sample_rate)
    halves = 2 if 0 < frequency < sample_rate / 2 else 1
    return halves * np.abs(frames @ (window * turning)) / n_samples
