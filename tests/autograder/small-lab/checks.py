"""Hidden checks of the small lab."""

import math

import numpy as np

from course.lab.checking import check, expect, oracle


@oracle("rms_level")
def rms_level(signal):
    squares = [float(sample) ** 2 for sample in signal]
    return math.sqrt(math.fsum(squares) / len(squares)) if squares else 0.0


@oracle("normalise")
def normalise(signal, level):
    now = rms_level(signal)
    return np.array([float(sample) * level / now for sample in signal])


@oracle("loud_share")
def loud_share(signal, length, threshold):
    starts = range(0, len(signal) - length + 1, length)
    loud = [rms_level(signal[start : start + length]) > threshold for start in starts]
    return sum(loud) / len(loud)


@check("rms_level", hint="Square each sample, take the mean, then the square root: in this order.")
def agrees_on_noise(student, rng):
    signal = rng.normal(0.1, 0.3, size=int(rng.integers(100, 1000)))
    expect.close(student(signal), rms_level(signal), atol=1e-9)


@check("rms_level", hint="An empty signal has no samples to take the mean of: return 0.0 for it.")
def empty_signal_is_silent(student, rng):
    expect.close(student(np.zeros(0)), 0.0)


@check("normalise", hint="Measure the level with rms_level, then multiply every sample by level / that.")
def has_the_level(student, rng):
    signal, level = rng.normal(size=300), float(rng.uniform(0.1, 2.0))
    expect.close(student(signal, level), normalise(signal, level), atol=1e-9)


@check("normalise", hint="Nothing can be scaled up from silence: raise ValueError and say so.")
def refuses_silence(student, rng):
    expect.raises(student, ValueError, np.zeros(5), 1.0)


@check("loud_share", hint="Cut the signal into whole frames, one behind the other, and leave the rest at the end out.")
def counts_whole_frames(student, rng):
    for _ in range(4):
        gains = np.repeat(rng.uniform(0.5, 1.5, size=11), 100)
        signal = (gains * rng.normal(size=1100))[: int(rng.integers(1001, 1100))]
        expect.close(student(signal, 100, 1.0), loud_share(signal, 100, 1.0), atol=1e-12)


@check("loud_share", hint="A minute of sound should take milliseconds: let NumPy work on all frames at once.")
def fast_on_a_minute(student, rng):
    signal = rng.normal(size=480_000)
    expect.true(0 <= expect.number(student(signal, 80, 1.0, seconds=1.0)) <= 1)
