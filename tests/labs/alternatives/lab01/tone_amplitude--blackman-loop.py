"""Blackman window, frame by frame."""

import numpy as np


def tone_amplitude(frames, frequency, sample_rate):
    frames = np.asarray(frames, dtype=float)
    n_samples = frames.shape[-1]
    if n_samples < 8 or not 0 <= frequency <= sample_rate / 2:
        raise ValueError("frame too short or frequency out of range")
    flat = frames.reshape(-1, n_samples) * np.blackman(n_samples)
    phase = 2 * np.pi * frequency * np.arange(n_samples) / sample_rate
    sums = np.array([np.hypot(np.sum(frame * np.cos(phase)), np.sum(frame * np.sin(phase))) for frame in flat])
    scale = (1 if frequency in (0, sample_rate / 2) else 2) / np.sum(np.blackman(n_samples))
    return (scale * sums).reshape(frames.shape[:-1])
