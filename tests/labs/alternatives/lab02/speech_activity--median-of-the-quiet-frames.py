"""Decibels of every bin over its floor, the frames sorted by energy to find the quiet ones."""

# ruff: noqa: F821 (the other functions are those of the lab)

import numpy as np


def speech_activity(signal, sample_rate):
    signal = np.asarray(signal, dtype=float)
    if signal.ndim != 1:
        raise ValueError("expected one channel")
    if sample_rate < 8000 or sample_rate > 16000:
        raise ValueError("expected 8000 to 16000 Hz")
    hop_length = round(sample_rate / 100)
    power = power_spectrogram(signal, 4 * hop_length, hop_length)[:, 4:]
    if not power.any():
        return np.zeros(len(power), dtype=bool)
    # Bins in groups of four, each smoothed over nine frames.
    power = power[:, : power.shape[1] // 4 * 4].reshape(len(power), -1, 4).sum(axis=2)
    smooth = np.stack([np.convolve(np.pad(band, 4, mode="edge"), np.ones(9) / 9, "valid") for band in power.T], axis=1)
    smooth = smooth / smooth.max() + 1e-10
    quiet = np.argsort(np.log(smooth).mean(axis=1))[: max(len(smooth) // 5, 1)]
    level = 10 * np.log10(smooth / np.median(smooth[quiet], axis=0))
    return np.sort(level, axis=1)[:, -5:].mean(axis=1) > 5.5
