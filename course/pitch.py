"""The pitch of a voice: how often a second its waveform repeats (Lecture 2).

Both estimators answer for every 10 ms with a pitch in Hz and with how much the frame is like itself one period on, from
0 to 1; where that is small there is no voice, and the pitch means nothing. Frame ``t`` is centred on sample
``t * hop_length``, as in :mod:`course.features`.

Sources: L. R. Rabiner, On the use of autocorrelation analysis for pitch detection, IEEE Transactions on Acoustics,
Speech, and Signal Processing 25 (1977); A. de Cheveigné and H. Kawahara, YIN, a fundamental frequency estimator for
speech and music, Journal of the Acoustical Society of America 111 (2002), whose steps 2 to 5 are :func:`yin`.
"""

import numpy as np

from course.features.transform import frame_lengths
from course.sampling import check_sample_rate
from course.spectrum import frames

LOWEST, HIGHEST = 60.0, 400.0  # Hz: deep voices to high ones
WINDOW_SECONDS = 0.025  # over which YIN adds up differences
YIN_THRESHOLD = 0.1  # of d'; the paper's
GROSS = 0.2  # relative error from which an estimate is called grossly wrong


def autocorrelation(signal_frames) -> np.ndarray:
    """How much each frame is like itself when it is shifted, through the FFT.

    Args:
        signal_frames: ``(n_frames, frame_length)`` real.

    Returns:
        ``(n_frames, frame_length)``; entry ``[t, lag]`` is ``sum_n x[n] * x[n + lag]``, with zeros beyond the frame.
    """
    signal_frames = np.asarray(signal_frames, dtype=np.float64)
    length = signal_frames.shape[1]
    power = np.abs(np.fft.rfft(signal_frames, 2 * length, axis=1)) ** 2  # as many zeros again: no wrapping round
    return np.fft.irfft(power, 2 * length, axis=1)[:, :length]


def pitch_by_autocorrelation(
    signal, sample_rate: float, f_min: float = LOWEST, f_max: float = HIGHEST
) -> tuple[np.ndarray, np.ndarray]:
    """The lag at which each frame is most like itself, as a frequency.

    The frame's end, which leaves fewer products at longer lags, is divided out. What repeats every 5 ms repeats every
    10 ms too, so that the lag is sometimes two periods or three.

    Args:
        signal: ``(n_samples,)``.
        sample_rate: Hz.
        f_min, f_max: range of the search, Hz.

    Returns:
        ``(n_frames,)`` Hz, and ``(n_frames,)`` likeness from 0 to 1; 0 for silence.

    Raises:
        TypeError, ValueError: no signal, or a range that is empty or too high for the sample rate.
    """
    shortest, longest, hop_length = _search(sample_rate, f_min, f_max)
    length = 3 * longest + longest % 2  # three periods of the lowest voice
    likeness = autocorrelation(frames(signal, length, hop_length))
    likeness *= length / (length - np.arange(length))
    likeness = np.divide(likeness, likeness[:, :1], out=np.zeros_like(likeness), where=likeness[:, :1] > 0)
    lag = shortest + np.argmax(likeness[:, shortest : longest + 1], axis=1)
    best = likeness[np.arange(len(lag)), lag]
    return sample_rate / _between_samples(-likeness, lag), np.clip(best, 0, 1)


def normalised_difference(signal_frames, longest: int) -> np.ndarray:
    """YIN's d′ (the paper's equation 8): how much a frame differs from itself shifted, relative to the shifts before.

    Args:
        signal_frames: ``(n_frames, window + longest)``; the first ``window`` samples are compared with later ones.
        longest: the largest lag, in samples, below the frame's length.

    Returns:
        ``(n_frames, longest + 1)``: 1 at lag 0, and near 0 at the period. A silent frame has 1 everywhere.
    """
    signal_frames = np.asarray(signal_frames, dtype=np.float64)
    window, n_fft = signal_frames.shape[1] - longest, 2 * signal_frames.shape[1]
    energy = np.cumsum(np.pad(signal_frames**2, ((0, 0), (1, 0))), axis=1)  # [:, n]: of the first n samples
    shifted = energy[:, window:] - energy[:, : longest + 1]  # of the window at each lag
    first = np.fft.rfft(signal_frames[:, :window], n_fft, axis=1)
    products = np.fft.irfft(first.conj() * np.fft.rfft(signal_frames, n_fft, axis=1), n_fft, axis=1)
    difference = np.maximum(shifted[:, :1] + shifted - 2 * products[:, : longest + 1], 0.0)
    mean_so_far = np.cumsum(difference[:, 1:], axis=1) / np.arange(1, longest + 1)
    ratio = np.ones_like(difference)
    np.divide(difference[:, 1:], mean_so_far, out=ratio[:, 1:], where=mean_so_far > 0)
    return ratio


def yin(
    signal, sample_rate: float, f_min: float = LOWEST, f_max: float = HIGHEST, threshold: float = YIN_THRESHOLD
) -> tuple[np.ndarray, np.ndarray]:
    """The *first* lag at which a frame hardly differs from itself, or else the one at which it differs least.

    Args:
        signal: ``(n_samples,)``.
        sample_rate: Hz.
        f_min, f_max: range of the search, Hz.
        threshold: of d′; the first dip below it is followed to its bottom.

    Returns:
        ``(n_frames,)`` Hz, and ``(n_frames,)`` likeness ``1 - d'`` from 0 to 1; 0 for silence.

    Raises:
        TypeError, ValueError: as for :func:`pitch_by_autocorrelation`.
    """
    shortest, longest, hop_length = _search(sample_rate, f_min, f_max)
    length = longest + round(WINDOW_SECONDS * sample_rate)
    difference = normalised_difference(frames(signal, length + length % 2, hop_length)[:, :length], longest)
    lag = np.array([_first_dip(row, shortest, threshold) for row in difference])
    lowest = difference[np.arange(len(lag)), lag]
    return sample_rate / _between_samples(difference, lag), np.clip(1 - lowest, 0, 1)


def praat_pitch(signal, sample_rate: float, f_min: float = LOWEST, f_max: float = HIGHEST) -> np.ndarray:
    """The pitch as Praat finds it, the program of most phoneticians: by autocorrelation and the best path through it.

    Args:
        signal: ``(n_samples,)``, longer than three periods of ``f_min``.
        sample_rate: Hz.
        f_min, f_max: range of the search, Hz.

    Returns:
        ``(1 + n_samples // hop_length,)`` Hz, one each 10 ms; NaN where Praat hears no voice.
    """
    import parselmouth

    _, _, hop_length = _search(sample_rate, f_min, f_max)
    step = hop_length / sample_rate
    found = parselmouth.Sound(np.asarray(signal, dtype=np.float64), sample_rate).to_pitch(step, f_min, f_max)
    moments = step * np.arange(1 + len(signal) // hop_length)
    nearest = np.clip(np.round((moments - found.x1) / step).astype(int), 0, found.n_frames - 1)
    pitch = found.selected_array["frequency"][nearest]
    heard = (pitch > 0) & (np.abs(found.xs()[nearest] - moments) <= step)
    return np.where(heard, pitch, np.nan)


def gross_errors(estimate, reference) -> tuple[float, float]:
    """How often an estimate is grossly wrong, of the frames in which the reference has a pitch.

    Args:
        estimate: ``(n_frames,)`` Hz.
        reference: ``(n_frames,)`` Hz, NaN without a voice.

    Returns:
        Shares, from 0 to 1, of estimates more than 20 % below the reference, and more than 20 % above it.

    Raises:
        ValueError: two lengths, a reference without any pitch, or an estimate without one where the reference has it.
    """
    estimate, reference = np.asarray(estimate, dtype=np.float64), np.asarray(reference, dtype=np.float64)
    voiced = np.isfinite(reference)
    if estimate.shape != reference.shape or not voiced.any() or not np.isfinite(estimate[voiced]).all():
        raise ValueError(
            f"An estimate for each frame in which the reference has a pitch was expected, and shapes {estimate.shape} "
            f"and {reference.shape} came, with {voiced.sum()} frames in the reference that have one."
        )
    ratio = estimate[voiced] / reference[voiced]
    return float(np.mean(ratio < 1 - GROSS)), float(np.mean(ratio > 1 + GROSS))


def _search(sample_rate: float, f_min: float, f_max: float) -> tuple[int, int, int]:
    """Shortest and longest lag, and the hop length, in samples."""
    check_sample_rate(sample_rate)
    if not 0 < f_min < f_max <= sample_rate / 4:
        raise ValueError(
            f"A range of pitch between 0 and {sample_rate / 4:g} Hz was expected, and {f_min:g} to {f_max:g} Hz came. "
            "Voices lie between 60 and 400 Hz."
        )
    return int(sample_rate / f_max), int(np.ceil(sample_rate / f_min)), frame_lengths(sample_rate)[1]


def _first_dip(difference: np.ndarray, shortest: int, threshold: float) -> int:
    """The bottom of the first dip below the threshold, else the lowest place: a lag in samples."""
    below = np.flatnonzero(difference[shortest:] < threshold)
    if not below.size:
        return shortest + int(np.argmin(difference[shortest:]))
    lag = shortest + int(below[0])
    while lag + 1 < difference.size and difference[lag + 1] < difference[lag]:
        lag += 1
    return lag


def _between_samples(valleys: np.ndarray, lag: np.ndarray) -> np.ndarray:
    """The bottom of the parabola through ``valleys`` ``(n_frames, n_lags)`` at each lag and its neighbours, samples."""
    rows, last = np.arange(len(lag)), valleys.shape[1] - 1
    left, bottom, right = (valleys[rows, np.clip(lag + side, 0, last)] for side in (-1, 0, 1))
    curvature = left - 2 * bottom + right
    shift = np.divide(left - right, 2 * curvature, out=np.zeros(len(lag)), where=curvature > 0)
    return lag + np.clip(shift, -0.5, 0.5)
