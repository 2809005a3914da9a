"""Smoothed by np.convolve with "same", which returns five values where there are one to four frames."""

# fails: knows_silence

# ruff: noqa: F821 (the other functions are those of the lab)

import numpy as np


def speech_activity(signal, sample_rate):
    if np.ndim(signal) != 1 or not 8000 <= sample_rate <= 16000:
        raise ValueError("expected one channel at 8000 to 16000 Hz")
    hop_length = round(0.01 * sample_rate)
    n_fft = 4 * hop_length
    power = power_spectrogram(signal, n_fft, hop_length)
    bands = power @ mel_filters(20, n_fft, sample_rate, 100, 0.45 * sample_rate).T
    smooth = np.stack([np.convolve(band, np.ones(5), "same") for band in bands.T], axis=1) / 5
    level = 10 * np.log10(smooth + 1e-10 * smooth.max() + 1e-20)
    above = np.sort(level - np.quantile(level, 0.15, axis=0), axis=1)
    return above[:, -6:].mean(axis=1) > 5
