"""Sohn's way: the likelihood of each mel band being noise alone, summed over bands, and a hang-over."""

# ruff: noqa: F821 (the other functions are those of the lab)

import numpy as np


def speech_activity(signal, sample_rate):
    if np.ndim(signal) != 1 or not 8000 <= sample_rate <= 16000:
        raise ValueError("expected one channel at 8000 to 16000 Hz")
    hop_length = round(0.01 * sample_rate)
    power = power_spectrogram(signal, 4 * hop_length, hop_length)
    if power.max() == 0:
        return np.zeros(len(power), dtype=bool)
    bands = power @ mel_filters(24, 4 * hop_length, sample_rate, 80, sample_rate / 2.1).T
    total = np.cumsum(np.pad(bands, ((4, 3), (0, 0)), mode="edge"), axis=0)
    bands = (total[7:] - np.pad(total, ((1, 0), (0, 0)))[: len(total) - 7]) / 7 if len(bands) > 8 else bands
    bands = bands[: len(power)]
    floor = np.quantile(bands, 0.2, axis=0) + 1e-10 * bands.max()
    ratio = bands / floor
    evidence = ratio - np.log(np.maximum(ratio, 1)) - 1
    evidence = np.where(ratio > 1, evidence, 0)
    return np.mean(np.minimum(evidence, 20), axis=1) > 0.9
