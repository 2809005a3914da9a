"""Powers of one complex number for each partial."""

import numpy as np


def synthesise(frequencies, amplitudes, decays, duration, sample_rate):
    if not len(frequencies) == len(amplitudes) == len(decays):
        raise ValueError("a partial has a frequency, an amplitude and a decay")
    if duration < 0 or sample_rate <= 0 or any(decay <= 0 for decay in decays):
        raise ValueError("duration, sample rate or decay out of range")
    n = np.arange(int(np.floor(duration * sample_rate + 0.5)))
    chime = np.zeros(n.size)
    for frequency, amplitude, decay in zip(frequencies, amplitudes, decays, strict=True):
        chime += amplitude * (np.exp((2j * np.pi * frequency - 1 / decay) / sample_rate) ** n).imag
    return chime
