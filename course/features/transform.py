"""The short-time Fourier transform and its inverse (Lecture 2).

Frame ``t`` is centred on sample ``t * hop_length``; half a frame of silence is put before the signal and after it, as
``librosa.stft(..., center=True, pad_mode="constant")`` does.

Source: D. W. Griffin and J. S. Lim, Signal estimation from modified short-time Fourier transform, IEEE Transactions on
Acoustics, Speech, and Signal Processing 32 (1984), section II (the inverse is its equation 6).
"""

import numpy as np

from course.sampling import as_signal, check_sample_rate
from course.spectrum import frames, hann_window

FRAME_SECONDS, HOP_SECONDS = 0.025, 0.010  # the usual compromise of speech recognition
UNCOVERED = 1e-10  # of the summed squared windows: what lies below was never in a frame


def frame_lengths(sample_rate: float) -> tuple[int, int, int]:
    """The usual framing of speech at a sample rate: 25 ms, every 10 ms, in an FFT of the next power of two.

    Args:
        sample_rate: Hz, at least 200.

    Returns:
        ``win_length``, ``hop_length`` and ``n_fft``, in samples: 200, 80 and 256 at 8,000 Hz.

    Raises:
        ValueError: a sample rate so low that a hop would be shorter than two samples.
    """
    check_sample_rate(sample_rate)
    win_length, hop_length = round(FRAME_SECONDS * sample_rate), round(HOP_SECONDS * sample_rate)
    if hop_length < 2:
        raise ValueError(
            f"A sample rate of at least 200 Hz was expected and {sample_rate:g} Hz came. Speech has 8000 or more: "
            "are the rate and another number swapped?"
        )
    return win_length, hop_length, 1 << (win_length - 1).bit_length()


def stft(signal, n_fft: int = 256, hop_length: int = 64, window=None) -> np.ndarray:
    """Fourier transforms of overlapping frames.

    Args:
        signal: ``(n_samples,)``.
        n_fft: samples in a frame, even.
        hop_length: samples from one frame to the next.
        window: ``(win_length,)`` weights, at most ``n_fft``, put in the middle of the frame with zeros on both sides;
            a Hann window of ``n_fft`` if there is none.

    Returns:
        ``(1 + n_samples // hop_length, n_fft // 2 + 1)`` complex128.

    Raises:
        TypeError, ValueError: no signal (see :func:`course.sampling.as_signal`), an odd ``n_fft``, a hop below 1, or a
            window longer than the frame.
    """
    return np.fft.rfft(frames(signal, n_fft, hop_length) * fitted_window(window, n_fft), axis=1)


def istft(transform, hop_length: int, window=None, length: int | None = None) -> np.ndarray:
    """The signal whose transform comes nearest to ``transform``, in the mean of squares.

    Each frame is transformed back, weighted with the window a second time and added where it came from; the sum is
    divided by that of the squared windows. A transform that :func:`stft` made gives its signal back exactly, wherever
    that sum is not zero.

    Args:
        transform: ``(n_frames, n_fft // 2 + 1)`` complex.
        hop_length: samples from one frame to the next.
        window: as for :func:`stft`.
        length: samples wanted; if there is none, those up to the centre of the last frame.

    Returns:
        ``(length,)`` float64.

    Raises:
        ValueError: the transform has other dimensions, is empty or not finite; a hop or a length below 1.
    """
    transform = _as_transform(transform)
    if hop_length < 1 or (length is not None and length < 1):
        raise ValueError(f"A hop and a length of at least 1 were expected, and {hop_length} and {length} came.")
    n_frames, n_fft = transform.shape[0], 2 * (transform.shape[1] - 1)
    window = fitted_window(window, n_fft)
    wanted = max(1, (n_frames - 1) * hop_length) if length is None else length
    total = max((n_frames - 1) * hop_length, wanted) + n_fft
    signal, weight = np.zeros(total), np.zeros(total)
    for start, frame in zip(hop_length * np.arange(n_frames), np.fft.irfft(transform, n_fft), strict=True):
        signal[start : start + n_fft] += window * frame
        weight[start : start + n_fft] += window**2
    inside = slice(n_fft // 2, n_fft // 2 + wanted)
    return np.where(weight > UNCOVERED, signal / np.maximum(weight, UNCOVERED), 0.0)[inside]


def fitted_window(window, n_fft: int) -> np.ndarray:
    """A window in the middle of ``n_fft`` samples, zeros around it; Hann's if there is none.

    Raises:
        ValueError: the window is longer than the frame.
    """
    window = hann_window(n_fft) if window is None else as_signal(window)
    if window.size > n_fft:
        raise ValueError(
            f"A window of at most {n_fft} samples, a frame, was expected and one of {window.size} came. "
            "Shorten it or raise n_fft."
        )
    before = (n_fft - window.size) // 2
    return np.pad(window, (before, n_fft - window.size - before))


def _as_transform(transform) -> np.ndarray:
    transform = np.asarray(transform, dtype=np.complex128)
    if transform.ndim != 2 or transform.shape[0] < 1 or transform.shape[1] < 2:
        raise ValueError(
            f"A transform was expected with shape (n_frames, n_fft // 2 + 1), and came with {transform.shape}. "
            "One from librosa has its frames in columns: pass its .T."
        )
    if not np.isfinite(transform).all():
        raise ValueError("A transform was expected to be finite and came with NaN or infinity in it.")
    return transform
