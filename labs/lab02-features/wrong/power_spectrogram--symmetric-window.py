"""np.hanning, which is symmetric and ends in a second zero."""

# fails: uses_the_periodic_window

# ruff: noqa: F821 (the other functions are those of the lab)

import numpy as np


def power_spectrogram(signal, n_fft, hop_length):
    if n_fft < 2 or n_fft % 2:
        raise ValueError("expected an even n_fft")
    return np.abs(np.fft.rfft(frames(signal, n_fft, hop_length) * np.hanning(n_fft))) ** 2
