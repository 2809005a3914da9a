"""The number of samples is cut off instead of rounded."""

# fails: rounds_the_length

import numpy as np


def synthesise(frequencies, amplitudes, decays, duration, sample_rate):
    partials = [np.asarray(values, dtype=float) for values in (frequencies, amplitudes, decays)]
    if len({values.shape for values in partials}) != 1:
        raise ValueError("a partial has a frequency, an amplitude and a decay")
    if duration < 0 or sample_rate <= 0 or np.any(partials[2] <= 0):
        raise ValueError("duration, sample rate or decay out of range")
    frequency, amplitude, decay = (values[:, np.newaxis] for values in partials)
    time = np.arange(int(duration * sample_rate)) / sample_rate
    return np.sum(amplitude * np.exp(-time / decay) * np.sin(2 * np.pi * frequency * time), axis=0)
