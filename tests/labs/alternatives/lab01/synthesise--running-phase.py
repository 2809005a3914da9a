"""A phase that is summed up sample by sample."""

import numpy as np


def synthesise(frequencies, amplitudes, decays, duration, sample_rate):
    partials = [np.asarray(values, dtype=float) for values in (frequencies, amplitudes, decays)]
    if len({values.shape for values in partials}) != 1:
        raise ValueError("a partial has a frequency, an amplitude and a decay")
    if duration < 0 or sample_rate <= 0 or np.any(partials[2] <= 0):
        raise ValueError("duration, sample rate or decay out of range")
    frequency, amplitude, decay = (values[:, np.newaxis] for values in partials)
    n_samples = round(duration * sample_rate)
    steps = np.full((frequency.size, max(n_samples - 1, 0)), 1.0) * 2 * np.pi * frequency / sample_rate
    phase = np.concatenate([np.zeros((frequency.size, 1)), np.cumsum(steps, axis=1)], axis=1)[:, :n_samples]
    return (amplitude * np.sin(phase) * np.exp(-np.arange(n_samples) / (decay * sample_rate))).sum(axis=0)
