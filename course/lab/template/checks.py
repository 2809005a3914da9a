"""Hidden checks of the lab: signals that the student has not seen, against sums taken one sample at a time."""

import math

import numpy as np

from course.lab.checking import check, expect, oracle


@oracle("rms_level")
def rms_level(signal):
    """Root mean square by a sum that is exact to the last bit, sample by sample."""
    squares = [float(sample) ** 2 for sample in signal]
    return math.sqrt(math.fsum(squares) / len(squares)) if squares else 0.0


@check("rms_level", hint="Square each sample, take the mean, then the square root: in this order.")
def agrees_on_noise(student, rng):
    signal = rng.normal(0.1, 0.3, size=int(rng.integers(100, 1000)))
    expect.close(student(signal), rms_level(signal), atol=1e-9)


@check("rms_level", hint="Twice the amplitude has twice the level, and a change of sign does not change it.")
def scales_with_amplitude(student, rng):
    signal = rng.normal(size=257)
    level = expect.number(student(signal))
    expect.close(student(-2.0 * signal), 2.0 * level, atol=1e-9)


@check("rms_level", hint="An empty signal has no samples to take the mean of: return 0.0 for it.")
def empty_signal_is_silent(student, rng):
    expect.close(student(np.zeros(0)), 0.0)
