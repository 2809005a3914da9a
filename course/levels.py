"""Levels and ratios in decibels (Lecture 1, *Sound as numbers*).

Levels are relative to full scale: a square wave of amplitude 1 has an RMS level of 0 dB, a sine of amplitude 1 one of
-3.01 dB.
"""

import numpy as np

from course.sampling import as_signal

SILENCE_DB = -np.inf


def rms(signal) -> float:
    """Root mean square of a signal ``(n_samples,)``: the amplitude of a square wave that has the same power."""
    return float(np.sqrt(np.mean(as_signal(signal) ** 2)))


def decibels(amplitude_ratio):
    """Twenty times the decimal logarithm of a ratio of amplitudes; a ratio of 0 gives minus infinity.

    Args:
        amplitude_ratio: a number or an array of any shape, not negative.

    Raises:
        ValueError: a ratio is negative.
    """
    ratio = np.asarray(amplitude_ratio, dtype=np.float64)
    if (ratio < 0).any():
        raise ValueError(
            "A ratio of amplitudes was expected to be 0 or more and came negative. Take np.abs of it first."
        )
    with np.errstate(divide="ignore"):
        level = 20 * np.log10(ratio)
    return level if level.ndim else float(level)


def amplitude_ratio(level_db):
    """The ratio of amplitudes that ``level_db`` stands for: the inverse of :func:`decibels`."""
    ratio = 10.0 ** (np.asarray(level_db, dtype=np.float64) / 20)
    return ratio if ratio.ndim else float(ratio)


def level_db(signal) -> float:
    """RMS level of a signal ``(n_samples,)`` in dB relative to full scale; minus infinity for silence."""
    return decibels(rms(signal))


def snr_db(clean, degraded) -> float:
    """Signal-to-noise ratio in dB, where the noise is whatever ``degraded`` has that ``clean`` has not.

    Args:
        clean: ``(n_samples,)`` the signal as it should be.
        degraded: ``(n_samples,)`` the signal as it came.

    Returns:
        dB; plus infinity where the two are equal.

    Raises:
        ValueError: the two differ in length, or ``clean`` is silent.
    """
    clean, degraded = as_signal(clean), as_signal(degraded)
    if clean.size != degraded.size:
        raise ValueError(
            f"Two signals of one length were expected, and {clean.size} and {degraded.size} samples came. "
            "Align them and cut both to the shorter one."
        )
    power, noise_power = np.sum(clean**2), np.sum((degraded - clean) ** 2)
    if power == 0:
        raise ValueError("A signal was expected and silence came: its ratio to any noise says nothing. Use level_db.")
    return np.inf if noise_power == 0 else float(10 * np.log10(power / noise_power))
