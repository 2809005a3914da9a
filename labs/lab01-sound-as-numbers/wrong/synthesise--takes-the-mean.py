"""The partials are averaged, so that the chime gets quieter with each."""

# fails: adds_up_its_partials

import numpy as np


def synthesise(frequencies, amplitudes, decays, duration, sample_rate):
    partials = [np.asarray(values, dtype=float) for values in (frequencies, amplitudes, decays)]
    if len({values.shape for values in partials}) != 1:
        raise ValueError("a partial has a frequency, an amplitude and a decay")
    if duration < 0 or sample_rate <= 0 or np.any(partials[2] <= 0):
        raise ValueError("duration, sample rate or decay out of range")
    frequency, amplitude, decay = (values[:, np.newaxis] for values in partials)
    time = np.arange(round(duration * sample_rate)) / sample_rate
    if frequency.size == 0:
        return np.zeros(time.size)
    return np.mean(amplitude * np.exp(-time / decay) * np.sin(2 * np.pi * frequency * time), axis=0)
