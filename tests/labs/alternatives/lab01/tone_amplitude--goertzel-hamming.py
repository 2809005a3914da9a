"""Goertzel's recursion on a Hamming window."""

import numpy as np


def tone_amplitude(frames, frequency, sample_rate):
    frames = np.asarray(frames, dtype=float)
    n_samples = frames.shape[-1]
    if n_samples < 8 or not 0 <= frequency <= sample_rate / 2:
        raise ValueError("frame too short or frequency out of range")
    window = np.hamming(n_samples)
    angle = 2 * np.pi * frequency / sample_rate
    last = before = np.zeros(frames.shape[:-1])
    for n in range(n_samples):
        last, before = frames[..., n] * window[n] + 2 * np.cos(angle) * last - before, last
    size = np.abs(last - np.exp(-1j * angle) * before) / window.sum()
    return size if frequency in (0, sample_rate / 2) else 2 * size
