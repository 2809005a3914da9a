"""Twenty times the logarithm of a power: every threshold is half of what it says."""

# fails: hears_nobody_in_noise

# ruff: noqa: F821 (the other functions are those of the lab)

import numpy as np


def speech_activity(signal, sample_rate):
    if np.ndim(signal) != 1 or not 8000 <= sample_rate <= 16000:
        raise ValueError("expected one channel at 8000 to 16000 Hz")
    hop_length = round(0.01 * sample_rate)
    n_fft = 4 * hop_length
    power = power_spectrogram(signal, n_fft, hop_length)
    bands = power @ mel_filters(20, n_fft, sample_rate, 100, 0.45 * sample_rate).T
    padded = np.pad(bands, ((3, 3), (0, 0)), mode="edge")
    smooth = np.lib.stride_tricks.sliding_window_view(padded[2:-2], 3, axis=0).mean(axis=-1)
    level = 20 * np.log10(smooth + 1e-10 * smooth.max() + 1e-20)
    above = np.sort(level - np.quantile(level, 0.15, axis=0), axis=1)
    return above[:, -6:].mean(axis=1) > 5
