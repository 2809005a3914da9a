"""Looks only for the partials below half the sample rate, where they were struck."""

# fails: finds_folded_chimes

# ruff: noqa: F821 (the other functions are those of the lab)

import numpy as np


def find_event(codes, sample_rate, frequencies):
    if sample_rate <= 0 or len(frequencies) == 0:
        raise ValueError("expected a sample rate above 0 Hz and partials")
    folded = np.array([frequency for frequency in frequencies if frequency < sample_rate / 2])
    if folded.size == 0:
        return None
    kernel = bandpass_kernel(folded.min() - 100, folded.max() + 100, 200, sample_rate)
    delay = len(kernel) // 2
    in_band, _ = filter_block(np.append(mu_law_decode(codes), np.zeros(delay)), kernel, None)
    size, hop = round(0.04 * sample_rate), round(0.005 * sample_rate)
    if in_band.size - delay < 4 * size:
        return None
    frames = np.lib.stride_tricks.sliding_window_view(in_band[delay:], size)[::hop]
    partials = sum(tone_amplitude(frames, frequency, sample_rate) ** 2 / 2 for frequency in folded)
    window = np.hanning(size)
    share = partials / (frames**2 @ window / window.sum() + 1e-20)
    lasting = np.convolve(share, np.ones(20) / 20, mode="valid")
    start = np.argmax(lasting)
    if lasting[start] < 0.5:
        return None
    peak = start + np.argmax(partials[start : start + 20])
    before = np.flatnonzero(partials[:peak] < partials[peak] / 4)
    onset_frame = before[-1] if before.size else 0
    return float((onset_frame * hop + size / 2) / sample_rate)
