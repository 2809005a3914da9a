"""A fixed energy, found by trial on one recording."""

# fails: ignores_the_volume

# ruff: noqa: F821 (the other functions are those of the lab)

import numpy as np


def speech_activity(signal, sample_rate):
    if np.ndim(signal) != 1 or not 8000 <= sample_rate <= 16000:
        raise ValueError("expected one channel at 8000 to 16000 Hz")
    cut = frames(signal, round(0.03 * sample_rate), round(0.01 * sample_rate))
    return np.sqrt(np.mean(cut**2, axis=1)) > 0.03
