"""Frame by frame, with np.hanning one sample longer and its last zero cut off."""

# ruff: noqa: F821 (the other functions are those of the lab)

import numpy as np


def power_spectrogram(signal, n_fft, hop_length):
    if n_fft < 2 or n_fft % 2 == 1:
        raise ValueError("expected an even n_fft")
    rows = []
    for frame in frames(signal, n_fft, hop_length):
        spectrum = np.fft.fft(frame * np.hanning(n_fft + 1)[:-1])[: n_fft // 2 + 1]
        rows.append((spectrum * spectrum.conj()).real)
    return np.array(rows)
