"""Reads the nearest bin of an FFT, which is up to 15 % low between two bins."""

# fails: reads_a_tone_between_bins

import numpy as np


def tone_amplitude(frames, frequency, sample_rate):
    frames = np.asarray(frames, dtype=float)
    n_samples = frames.shape[-1]
    if n_samples < 8 or not 0 <= frequency <= sample_rate / 2:
        raise ValueError("frame too short or frequency out of range")
    window = np.hanning(n_samples)
    spectrum = np.fft.rfft(frames * window, axis=-1)
    nearest = min(round(frequency * n_samples / sample_rate), spectrum.shape[-1] - 1)
    halves = 2 if 0 < frequency < sample_rate / 2 else 1
    return halves * np.abs(spectrum[..., nearest]) / window.sum()
