"""Which frequencies are in a signal: one frame, then many (Lecture 1, *Sound as numbers*).

A frame is ``n_fft`` consecutive samples. Its discrete Fourier transform compares it with ``n_fft // 2 + 1`` sines and
cosines, one for each bin; bin ``k`` has the frequency ``k * sample_rate / n_fft``.
"""

import numpy as np

from course.sampling import as_signal, check_sample_rate


def dft(frame) -> np.ndarray:
    """The discrete Fourier transform of a real frame, straight from its definition.

    It costs ``n_fft**2 / 2`` complex multiplications; :func:`numpy.fft.rfft` gives the same numbers for about
    ``n_fft * log2(n_fft)``.

    Args:
        frame: ``(n_fft,)`` real samples.

    Returns:
        ``(n_fft // 2 + 1,)`` complex128: for each bin the correlation with the cosine, minus i times the one
        with the sine.
    """
    frame = as_signal(frame)
    n = np.arange(frame.size)
    bins = np.arange(frame.size // 2 + 1)
    return np.exp(-2j * np.pi * np.outer(bins, n) / frame.size) @ frame


def bin_frequencies(n_fft: int, sample_rate: float) -> np.ndarray:
    """The frequency of each bin of a frame of ``n_fft`` samples: ``(n_fft // 2 + 1,)``, Hz."""
    check_sample_rate(sample_rate)
    return np.arange(n_fft // 2 + 1) * sample_rate / n_fft


def hann_window(length: int) -> np.ndarray:
    """Periodic Hann window: ``(length,)`` weights that rise from 0 to 1 and fall back, ``sin(pi * n / length)**2``.

    Raises:
        ValueError: ``length`` is below 1. (A window of one sample is 1.)
    """
    if length < 1:
        raise ValueError(f"A window of at least one sample was expected and {length} came.")
    return np.ones(1) if length == 1 else np.sin(np.pi * np.arange(length) / length) ** 2


def amplitude_spectrum(frame, window=None) -> np.ndarray:
    """Amplitudes of the sines that make up a frame.

    Scaled so that a sine of amplitude A at the frequency of a bin (other than the first and the last) gives A there.

    Args:
        frame: ``(n_fft,)`` real samples.
        window: ``(n_fft,)`` weights; Hann if there is none.

    Returns:
        ``(n_fft // 2 + 1,)`` float64.

    Raises:
        ValueError: frame and window differ in length.
    """
    frame = as_signal(frame)
    window = hann_window(frame.size) if window is None else as_signal(window)
    if window.size != frame.size:
        raise ValueError(
            f"A window of {frame.size} samples was expected, as long as the frame, and one of {window.size} came."
        )
    return 2 * np.abs(np.fft.rfft(frame * window)) / window.sum()


def frames(signal, n_fft: int, hop_length: int) -> np.ndarray:
    """Cut a signal into overlapping frames; frame ``t`` is centred on sample ``t * hop_length``.

    Half a frame of silence is put before the signal and after it.

    Args:
        signal: ``(n_samples,)``.
        n_fft: samples per frame, even.
        hop_length: samples from one frame to the next, at least 1.

    Returns:
        ``(1 + n_samples // hop_length, n_fft)``, a read-only view.

    Raises:
        ValueError: ``n_fft`` is odd or below 2, or ``hop_length`` is below 1.
    """
    if n_fft < 2 or n_fft % 2 or hop_length < 1:
        raise ValueError(
            f"An even n_fft and a hop_length of at least 1 were expected, and n_fft={n_fft}, "
            f"hop_length={hop_length} came. For telephone speech try 256 and 64."
        )
    padded = np.pad(as_signal(signal), n_fft // 2)
    return np.lib.stride_tricks.sliding_window_view(padded, n_fft)[::hop_length]


def spectrogram(signal, n_fft: int = 256, hop_length: int = 64) -> np.ndarray:
    """Amplitude spectra of Hann-windowed frames, side by side.

    Args:
        signal: ``(n_samples,)``.
        n_fft, hop_length: as for :func:`frames`.

    Returns:
        ``(n_fft // 2 + 1, n_frames)`` float64, scaled as in :func:`amplitude_spectrum`.
    """
    window = hann_window(n_fft)
    return 2 * np.abs(np.fft.rfft(frames(signal, n_fft, hop_length) * window, axis=1)).T / window.sum()
