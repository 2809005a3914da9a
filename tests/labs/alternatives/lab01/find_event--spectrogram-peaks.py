"""An FFT spectrogram: the bins around the partials against the rest of the band."""

# ruff: noqa: F821 (the other functions are those of the lab)

import numpy as np


def find_event(codes, sample_rate, frequencies):
    if sample_rate <= 0 or len(frequencies) == 0:
        raise ValueError("expected a sample rate above 0 Hz and partials")
    signal = mu_law_decode(codes)
    size, hop = round(0.04 * sample_rate), round(0.004 * sample_rate)
    starts = range(0, len(signal) - size, hop)
    if len(starts) < 40:
        return None
    window = np.hanning(size)
    spectra = np.array([np.abs(np.fft.rfft(signal[start : start + size] * window)) ** 2 for start in starts])
    bins = np.fft.rfftfreq(size, 1 / sample_rate)
    folded = alias_frequency(np.asarray(frequencies), sample_rate)
    near = np.any([np.abs(bins - frequency) < 45 for frequency in folded], axis=0)
    band = (bins > 1350) & (bins < 3050)
    partials, rest = spectra[:, near].sum(axis=1), spectra[:, band & ~near].sum(axis=1)
    is_chime = partials > 2.5 * rest + 1e-12
    streak = 0
    for index, now in enumerate(is_chime):
        streak = streak + 1 if now else 0
        if streak == 30:
            first = index - 29
            peak = first + np.argmax(partials[first : index + 1])
            below = np.flatnonzero(partials[:peak] < partials[peak] / 4)
            return (below[-1] * hop + size / 2) / sample_rate
    return None
