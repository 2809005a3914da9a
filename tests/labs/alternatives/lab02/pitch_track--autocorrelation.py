"""The normalised correlation of a frame with itself later, and the first peak that is nearly the highest."""

# ruff: noqa: F821 (the other functions are those of the lab)

import numpy as np


def pitch_track(signal, sample_rate):
    signal = np.asarray(signal, dtype=float)
    if signal.ndim != 1 or not 8000 <= sample_rate <= 16000:
        raise ValueError("expected one channel at 8000 to 16000 Hz")
    longest, shortest = int(np.ceil(sample_rate / 62)), int(sample_rate / 400)
    hop_length, width = round(0.01 * sample_rate), round(0.025 * sample_rate)
    pitch = np.full(1 + signal.size // hop_length, np.nan)
    for t, frame in enumerate(frames(signal, width + longest, hop_length)):
        alike = np.zeros(longest + 1)
        for lag in range(shortest, longest + 1):
            one, other = frame[:width], frame[lag : lag + width]
            alike[lag] = one @ other / np.sqrt((one @ one) * (other @ other) + 1e-30)
        if alike.max() < 0.7:
            continue
        lag = int(np.argmax(alike > 0.9 * alike.max()))
        while lag < longest and alike[lag + 1] > alike[lag]:
            lag += 1
        pitch[t] = sample_rate / lag
    return pitch
