"""The floor is the quietest single frame, above which all noise rises."""

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
    smooth = bands
    level = 10 * np.log10(smooth + 1e-10 * smooth.max() + 1e-20)
    above = np.sort(level - level.min(axis=0), axis=1)
    return above[:, -6:].mean(axis=1) > 5
