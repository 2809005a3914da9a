"""The decay is taken as a rate: multiplied with time, not divided by."""

# fails: fades_in_seconds

import numpy as np


def synthesise(frequencies, amplitudes, decays, duration, sample_rate):
    partials = [np.asarray(values, dtype=float) for values in (frequencies, amplitudes, decays)]
    if len({values.shape for values in partials}) != 1:
        raise ValueError("a partial has a frequency, an amplitude and a decay")
    if duration < 0 or sample_rate <= 0 or np.any(partials[2] <= 0):
        raise ValueError("duration, sample rate or decay out of range")
    frequency, amplitude, decay = (values[:, np.newaxis] for values in partials)
    time = np.arange(round(duration * sample_rate)) / sample_rate
    fading = np.exp(-time * np.where(np.isinf(decay), 0.0, decay))
    return np.sum(amplitude * fading * np.sin(2 * np.pi * frequency * time), axis=0)
