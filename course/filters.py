"""Linear filters: convolution, FIR and IIR, resampling, and finding a known event (Lecture 1, *Sound as numbers*).

A filter with feed-forward coefficients ``b`` and feedback coefficients ``a`` computes
``a[0] y[n] = sum_k b[k] x[n - k] - sum_{k>=1} a[k] y[n - k]``. An FIR filter has ``a = [1]``, and its ``b`` are its
taps.

Source: A. V. Oppenheim and R. W. Schafer, Discrete-Time Signal Processing, chapters 2, 5 and 7.
"""

import numpy as np

from course.sampling import as_signal, check_sample_rate


def convolve(signal, taps) -> np.ndarray:
    """Every sample of ``signal`` starts a copy of ``taps``; the copies add up. Computed through the FFT.

    Args:
        signal: ``(n_samples,)``.
        taps: ``(n_taps,)``.

    Returns:
        ``(n_samples + n_taps - 1,)`` float64.
    """
    signal, taps = as_signal(signal), as_signal(taps)
    length = signal.size + taps.size - 1
    n_fft = 1 << (length - 1).bit_length()  # lengths that are powers of two are the FFT's fastest
    return np.fft.irfft(np.fft.rfft(signal, n_fft) * np.fft.rfft(taps, n_fft), n_fft)[:length]


def filter_fir(signal, taps) -> np.ndarray:
    """Filter with symmetric taps and take their delay out, so that the result lines up with the signal.

    Args:
        signal: ``(n_samples,)``.
        taps: ``(n_taps,)`` with ``n_taps`` odd: the delay is ``(n_taps - 1) / 2`` samples.

    Returns:
        ``(n_samples,)`` float64.

    Raises:
        ValueError: the number of taps is even, so that the delay falls between two samples.
    """
    taps = as_signal(taps)
    if taps.size % 2 == 0:
        raise ValueError(
            f"An odd number of taps was expected and {taps.size} came: half a sample of delay cannot be taken out. "
            "Design one tap more."
        )
    delay = taps.size // 2
    return convolve(signal, taps)[delay : delay + as_signal(signal).size]


def filter_iir(signal, b, a) -> np.ndarray:
    """Run the difference equation of the module's head, sample by sample, from rest.

    Args:
        signal: ``(n_samples,)``.
        b: ``(n_b,)`` feed-forward coefficients.
        a: ``(n_a,)`` feedback coefficients; ``a[0]`` is not 0.

    Returns:
        ``(n_samples,)`` float64; grows without bound if a pole lies outside the unit circle.

    Raises:
        ValueError: ``a[0]`` is 0.
    """
    b, a = as_signal(b), as_signal(a)
    if a[0] == 0:
        raise ValueError("The first feedback coefficient was expected to differ from 0: it divides all others.")
    output = np.convolve(as_signal(signal), b / a[0])[: as_signal(signal).size]
    feedback = (a[1:] / a[0]).tolist()
    past = [0.0] * len(feedback)  # y[n-1], y[n-2], …
    for n, value in enumerate(output.tolist()):
        value -= sum(coefficient * earlier for coefficient, earlier in zip(feedback, past, strict=True))
        past = [value, *past][: len(feedback)]
        output[n] = value
    return output


def lowpass_taps(cutoff: float, sample_rate: float, n_taps: int) -> np.ndarray:
    """Taps of a linear-phase low-pass: a sinc under a Blackman window.

    The gain is 1 at 0 Hz and one half (-6 dB) at ``cutoff``. It falls from passing to stopping within about
    ``5.5 * sample_rate / n_taps`` Hz around the cutoff, and is below -73 dB from there on.

    Args:
        cutoff: Hz, between 0 and half the sample rate.
        sample_rate: Hz.
        n_taps: odd, at least 3.

    Returns:
        ``(n_taps,)`` float64, symmetric, with sum 1.

    Raises:
        ValueError: a cutoff outside (0, sample_rate / 2), or an ``n_taps`` that is even or below 3.
    """
    check_sample_rate(sample_rate)
    if not 0 < cutoff < sample_rate / 2:
        raise ValueError(f"A cutoff between 0 and {sample_rate / 2:g} Hz was expected and {cutoff:g} Hz came.")
    if n_taps < 3 or n_taps % 2 == 0:
        raise ValueError(f"An odd number of at least 3 taps was expected and {n_taps} came. Try {max(n_taps, 2) | 1}.")
    n = np.arange(n_taps) - n_taps // 2
    taps = np.sinc(2 * cutoff / sample_rate * n) * np.blackman(n_taps)
    return taps / taps.sum()


def resonator(frequency: float, time_constant: float, sample_rate: float) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients of the two-pole filter whose impulse response is a dying sine.

    The response to a single 1 is ``exp(-t / time_constant) * sin(2 pi frequency t)``.

    Args:
        frequency: Hz, between 0 and half the sample rate.
        time_constant: seconds in which the sine dies to 1/e; above 0.
        sample_rate: Hz.

    Returns:
        ``b`` of shape (2,) and ``a`` of shape (3,), for :func:`filter_iir`.

    Raises:
        ValueError: a frequency outside (0, sample_rate / 2), or a time constant that is not above 0: such a filter
            would not die away.
    """
    check_sample_rate(sample_rate)
    if not (0 < frequency < sample_rate / 2 and time_constant > 0):
        raise ValueError(
            f"A frequency between 0 and {sample_rate / 2:g} Hz and a time constant above 0 s were expected, "
            f"and {frequency:g} Hz and {time_constant:g} s came."
        )
    angle = 2 * np.pi * frequency / sample_rate
    radius = np.exp(-1 / (time_constant * sample_rate))
    return np.array([0, radius * np.sin(angle)]), np.array([1, -2 * radius * np.cos(angle), radius**2])


def frequency_response(b, a, frequencies, sample_rate: float) -> np.ndarray:
    """What a filter does to a sine of each frequency: its gain is the magnitude, its phase shift the angle.

    Args:
        b, a: coefficients, as in the module's head.
        frequencies: ``(n,)`` Hz.
        sample_rate: Hz.

    Returns:
        ``(n,)`` complex128.
    """
    check_sample_rate(sample_rate)
    b, a = as_signal(b), as_signal(a)
    z = np.exp(-2j * np.pi * np.asarray(frequencies, dtype=np.float64) / sample_rate)  # a delay of one sample
    return np.polyval(b[::-1], z) / np.polyval(a[::-1], z)


def decimate(signal, sample_rate: float, factor: int) -> np.ndarray:
    """Lower the sample rate by a whole factor: a low-pass, then every ``factor``-th sample.

    What lies below 85 % of the new Nyquist frequency is kept, what lies above it is more than 73 dB down.

    Args:
        signal: ``(n_samples,)``.
        sample_rate: Hz, of ``signal``.
        factor: at least 1.

    Returns:
        ``(ceil(n_samples / factor),)`` float64, at ``sample_rate / factor``.

    Raises:
        ValueError: ``factor`` is not a whole number of at least 1.
    """
    if factor != int(factor) or factor < 1:
        raise ValueError(f"A whole factor of at least 1 was expected and {factor!r} came.")
    if factor == 1:
        return as_signal(signal).copy()
    nyquist = sample_rate / factor / 2
    n_taps = int(np.ceil(5.5 * sample_rate / (0.15 * nyquist))) | 1
    return filter_fir(signal, lowpass_taps(0.925 * nyquist, sample_rate, n_taps))[:: int(factor)]


def correlate(signal, template) -> np.ndarray:
    """How well ``template`` fits at each place of ``signal``: a matched filter.

    Args:
        signal: ``(n_samples,)``.
        template: ``(n_template,)``, at most as long.

    Returns:
        ``(n_samples - n_template + 1,)``; entry ``n`` is ``sum_k template[k] * signal[n + k]``.

    Raises:
        ValueError: the template is longer than the signal.
    """
    signal, template = as_signal(signal), as_signal(template)
    if template.size > signal.size:
        raise ValueError(
            f"A template no longer than the signal was expected, and {template.size} samples came for {signal.size}. "
            "Swap the two, or pad the signal."
        )
    return convolve(signal, template[::-1])[template.size - 1 : signal.size]
