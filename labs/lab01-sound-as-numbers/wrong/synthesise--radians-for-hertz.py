"""The frequency is used as if it were in radians per second: the 2π is missing."""

# fails: follows_the_closed_form

import numpy as np


def synthesise(frequencies, amplitudes, decays, duration, sample_rate):
    partials = [np.asarray(values, dtype=float) for values in (frequencies, amplitudes, decays)]
    if len({values.shape for values in partials}) != 1:
        raise ValueError("a partial has a frequency, an amplitude and a decay")
    if duration < 0 or sample_rate <= 0 or np.any(partials[2] <= 0):
        raise ValueError("duration, sample rate or decay out of range")
    frequency, amplitude, decay = (values[:, np.newaxis] for values in partials)
    time = np.arange(round(duration * sample_rate)) / sample_rate
    return np.sum(amplitude * np.exp(-time / decay) * np.sin(frequency * time), axis=0)
