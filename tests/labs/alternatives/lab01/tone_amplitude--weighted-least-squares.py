"""Fits a cosine and a sine, weighted by a window."""

import numpy as np


def tone_amplitude(frames, frequency, sample_rate):
    frames = np.asarray(frames, dtype=float)
    n_samples = frames.shape[-1]
    if n_samples < 8 or not 0 <= frequency <= sample_rate / 2:
        raise ValueError("frame too short or frequency out of range")
    weight = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(n_samples) + 0.5) / n_samples)
    phase = 2 * np.pi * frequency * np.arange(n_samples) / sample_rate
    waves = np.stack([np.cos(phase), np.sin(phase)])
    if frequency in (0, sample_rate / 2):
        waves = waves[:1]
    fit = np.linalg.solve((waves * weight) @ waves.T, (waves * weight) @ frames.reshape(-1, n_samples).T)
    return np.sqrt(np.sum(fit**2, axis=0)).reshape(frames.shape[:-1])
