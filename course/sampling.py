"""Signals as sequences of numbers: sampling, aliasing, levels (Lecture 1, *Sound as numbers*).

A signal is a one-dimensional array of real samples, ``(n_samples,)``, with full scale at ±1. Its sample rate travels
beside it, in hertz (samples per second).
"""

import numpy as np

# A bar with free ends: its modes' frequencies as multiples of the lowest, and for a small chime of metal their
# amplitudes at the stroke and the seconds in which they die to 1/e.
CHIME_RATIOS = np.array([1.0, 2.757, 5.404, 8.933])
CHIME_AMPLITUDES = np.array([0.4, 0.25, 0.15, 0.2])
CHIME_TIMES = np.array([0.6, 0.4, 0.25, 0.3])


def as_signal(signal) -> np.ndarray:
    """Return ``signal`` as a float64 array, or say what is wrong with it.

    Args:
        signal: ``(n_samples,)`` real numbers, at least one, all finite.

    Returns:
        ``(n_samples,)`` float64; the caller's own array if it already is one.

    Raises:
        TypeError: the samples are not real numbers.
        ValueError: the array has another number of dimensions, is empty, or holds NaN or infinity.
    """
    samples = np.asarray(signal)
    if samples.dtype.kind not in "fiu":
        raise TypeError(
            f"A signal was expected to hold real numbers and came as {samples.dtype}. "
            "Take one component first, for example its real part or its magnitude."
        )
    if samples.ndim != 1 or samples.size == 0:
        raise ValueError(
            f"A signal was expected with shape (n_samples,) and at least one sample, and came with {samples.shape}. "
            "Pick one channel, for example signal[:, 0]."
        )
    if not np.isfinite(samples).all():
        raise ValueError(
            f"A signal was expected to be finite and came with {np.count_nonzero(~np.isfinite(samples))} NaN or "
            "infinite samples. Look for a division by zero or the logarithm of silence before this step."
        )
    return samples.astype(np.float64, copy=False)


def check_sample_rate(sample_rate: float) -> None:
    """Raise ValueError unless ``sample_rate`` (Hz) is a positive, finite number."""
    if not (np.isscalar(sample_rate) and np.isfinite(sample_rate) and sample_rate > 0):
        raise ValueError(
            f"A sample rate was expected in hertz, above zero, and came as {sample_rate!r}. Telephone speech has 8000."
        )


def sample_times(duration: float, sample_rate: float) -> np.ndarray:
    """The moments at which ``duration`` seconds are sampled: ``(round(duration * sample_rate),)`` seconds, from 0.

    Raises:
        ValueError: the duration is shorter than one sample, or the sample rate is not above 0.
    """
    check_sample_rate(sample_rate)
    n_samples = round(duration * sample_rate)
    if n_samples < 1:
        raise ValueError(
            f"A duration of at least one sample, {1 / sample_rate:g} s, was expected and {duration:g} s came."
        )
    return np.arange(n_samples) / sample_rate


def tone(frequency: float, duration: float, sample_rate: float, amplitude: float = 1.0) -> np.ndarray:
    """Samples of a sine.

    Args:
        frequency: Hz; above half the sample rate the samples are those of its alias.
        duration: seconds.
        sample_rate: Hz.
        amplitude: of the sine, full scale is 1.

    Returns:
        ``(n_samples,)`` float64.
    """
    return amplitude * np.sin(2 * np.pi * frequency * sample_times(duration, sample_rate))


def chime(sample_rate: float, duration: float = 1.5, frequency: float = 880.0) -> np.ndarray:
    """A struck metal bar: four dying sines, ``sum_m A_m exp(-t / tau_m) sin(2 pi f_m t)``.

    The frequencies stand in the ratios of a bar with free ends (N. H. Fletcher and T. D. Rossing, The Physics of
    Musical Instruments, section 2.15), and higher modes die faster.

    Args:
        sample_rate: Hz. The modes are not band-limited: those above half the sample rate alias.
        duration: seconds.
        frequency: of the lowest mode, Hz.

    Returns:
        ``(n_samples,)`` float64 in [-1, 1].
    """
    t = sample_times(duration, sample_rate)[:, np.newaxis]
    modes = np.exp(-t / CHIME_TIMES) * np.sin(2 * np.pi * frequency * CHIME_RATIOS * t)
    return modes @ CHIME_AMPLITUDES


def alias(frequency, sample_rate: float):
    """The frequency between 0 and half the sample rate whose samples a sine of ``frequency`` cannot be told from.

    Args:
        frequency: Hz, a number or an array.
        sample_rate: Hz.
    """
    check_sample_rate(sample_rate)
    return np.abs(frequency - sample_rate * np.round(np.asarray(frequency) / sample_rate))


def interpolate(samples, sample_rate: float, times) -> np.ndarray:
    """The value, between its samples, of the only signal without content above half the sample rate that has them.

    Each sample contributes a sinc (C. E. Shannon, Communication in the presence of noise, 1949, theorem 1). The sum
    over all samples costs ``n_times * n_samples`` multiplications. Near the ends, where samples are missing, it is off.

    Args:
        samples: ``(n_samples,)``, the first at time 0.
        sample_rate: Hz.
        times: ``(n_times,)`` seconds.

    Returns:
        ``(n_times,)`` float64.
    """
    samples = as_signal(samples)
    check_sample_rate(sample_rate)
    positions = np.asarray(times, dtype=np.float64)[:, np.newaxis] * sample_rate
    return np.sinc(positions - np.arange(samples.size)) @ samples
