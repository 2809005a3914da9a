"""By the FFT that the lab builds out of Task 2."""

# ruff: noqa: F821 (the other functions are those of the lab)

import numpy as np


def power_spectrogram(signal, n_fft, hop_length):
    if n_fft < 2 or n_fft % 2 == 1:
        raise ValueError("expected an even n_fft")
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    spectra = fft(frames(signal, n_fft, hop_length) * window)[:, : n_fft // 2 + 1]
    return spectra.real**2 + spectra.imag**2
