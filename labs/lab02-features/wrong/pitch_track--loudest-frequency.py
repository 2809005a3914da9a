"""The loudest frequency of each frame: a harmonic beside a formant, seldom the fundamental."""

# fails: hears_missing_fundamentals

# ruff: noqa: F821 (the other functions are those of the lab)

import numpy as np


def pitch_track(signal, sample_rate):
    if np.ndim(signal) != 1 or not 8000 <= sample_rate <= 16000:
        raise ValueError("expected one channel at 8000 to 16000 Hz")
    cut = frames(signal, round(0.04 * sample_rate), round(0.01 * sample_rate))
    spectrum = np.abs(np.fft.rfft(cut * np.hanning(cut.shape[1]), 4096))
    frequency = np.arange(2049) * sample_rate / 4096
    inside = (frequency > 60) & (frequency < 400)
    peaks = spectrum[:, inside].max(axis=1)
    pitch = frequency[inside][np.argmax(spectrum[:, inside], axis=1)]
    return np.where(peaks > 6 * np.median(spectrum, axis=1), pitch, np.nan)
