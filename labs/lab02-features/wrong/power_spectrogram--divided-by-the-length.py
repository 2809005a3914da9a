"""Divided by n_fft, which nobody asked for."""

# fails: keeps_the_energy

# ruff: noqa: F821 (the other functions are those of the lab)

import numpy as np


def power_spectrogram(signal, n_fft, hop_length):
    if n_fft < 2 or n_fft % 2:
        raise ValueError("expected an even n_fft")
    window = np.sin(np.pi * np.arange(n_fft) / n_fft) ** 2
    return np.abs(np.fft.rfft(frames(signal, n_fft, hop_length) * window)) ** 2 / n_fft
