"""A tone that is four times its median for 0.1 s, without a filter."""

# ruff: noqa: F821 (the other functions are those of the lab)

import numpy as np


def find_event(codes, sample_rate, frequencies):
    if sample_rate <= 0 or len(frequencies) == 0:
        raise ValueError("expected a sample rate above 0 Hz and partials")
    signal = mu_law_decode(codes)
    size, hop = int(0.04 * sample_rate), int(0.005 * sample_rate)
    if len(signal) < 5 * size:
        return None
    frames = np.lib.stride_tricks.sliding_window_view(signal, size)[::hop]
    folded = alias_frequency(frequencies, sample_rate)
    level = np.sqrt(sum(tone_amplitude(frames, frequency, sample_rate) ** 2 for frequency in folded))
    loud = level > 4 * np.median(level)
    lasts = np.convolve(loud, np.ones(25), mode="valid") > 23
    return float((np.argmax(lasts) * hop + size / 2) / sample_rate) if lasts.any() else None
