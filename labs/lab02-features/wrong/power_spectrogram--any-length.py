"""An odd frame is accepted."""

# fails: refuses_odd_frames

# ruff: noqa: F821 (the other functions are those of the lab)

import numpy as np


def power_spectrogram(signal, n_fft, hop_length):
    cut = frames(signal, n_fft, hop_length)
    return np.abs(np.fft.rfft(cut * np.sin(np.pi * np.arange(n_fft) / n_fft) ** 2)) ** 2
