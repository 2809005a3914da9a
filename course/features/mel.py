"""Energy in bands as wide as the ear's, and its logarithm (Lecture 2).

The mel scale is the one of most recognisers: linear below about 700 Hz, logarithmic above, with 1,000 Hz at 1,000 mel.
The bands are triangles of height 1, evenly spaced in mel, each reaching from its lower neighbour's centre to its upper
one's: those of ``librosa.filters.mel(htk=True, norm=None)``.

Sources: S. S. Stevens, J. Volkmann and E. B. Newman, A scale for the measurement of the psychological magnitude pitch,
Journal of the Acoustical Society of America 8 (1937); S. B. Davis and P. Mermelstein, Comparison of parametric
representations for monosyllabic word recognition, IEEE Transactions on Acoustics, Speech, and Signal Processing 28
(1980).
"""

from functools import lru_cache

import numpy as np

from course.features.transform import frame_lengths, stft
from course.sampling import check_sample_rate
from course.spectrum import bin_frequencies, hann_window

FLOOR = 1e-8  # power in a band: about what rounding to 16 bits leaves in it, so that the logarithm of silence is finite


def hz_to_mel(frequency):
    """Mel of a frequency in Hz, a number or an array of any shape, not negative."""
    frequency = np.asarray(frequency, dtype=np.float64)
    if not (frequency >= 0).all():
        raise ValueError("A frequency was expected to be 0 Hz or more and came negative or NaN.")
    return 2595 * np.log10(1 + frequency / 700)


def mel_to_hz(mel):
    """The frequency in Hz of a place on the mel scale: the inverse of :func:`hz_to_mel`."""
    return 700 * (10 ** (np.asarray(mel, dtype=np.float64) / 2595) - 1)


@lru_cache(maxsize=32)
def mel_filter_bank(
    sample_rate: float, n_fft: int, n_mels: int = 40, f_min: float = 0.0, f_max: float | None = None
) -> np.ndarray:
    """Triangular weights that gather the bins of a power spectrum into bands.

    Args:
        sample_rate: Hz.
        n_fft: samples in a frame, even.
        n_mels: number of bands.
        f_min, f_max: where the lowest band begins and the highest one ends, Hz; half the sample rate if there is no
            ``f_max``.

    Returns:
        ``(n_mels, n_fft // 2 + 1)`` float64, read-only.

    Raises:
        ValueError: edges outside 0 ≤ f_min < f_max ≤ sample_rate / 2, no band, or bands so narrow that one is empty.
    """
    check_sample_rate(sample_rate)
    f_max = sample_rate / 2 if f_max is None else f_max
    if not (0 <= f_min < f_max <= sample_rate / 2 and n_mels >= 1 and n_fft >= 2):
        raise ValueError(
            f"Bands between 0 and {sample_rate / 2:g} Hz were expected, and {n_mels} from {f_min:g} to {f_max:g} Hz, "
            f"n_fft={n_fft}, came. Telephone speech at 8000 Hz takes 40 bands from 0 to 4000 Hz and n_fft=256."
        )
    edges = mel_to_hz(np.linspace(hz_to_mel(f_min), hz_to_mel(f_max), n_mels + 2))  # (n_mels + 2,) Hz
    bins = bin_frequencies(n_fft, sample_rate)
    rising = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]  # (n_mels, n_bins)
    falling = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    weights = np.maximum(0, np.minimum(rising, falling))
    _refuse_empty_bands(weights, sample_rate, n_fft)
    weights.setflags(write=False)
    return weights


def power_spectra(
    signal, sample_rate: float, win_length: int | None = None, hop_length: int | None = None, n_fft: int | None = None
) -> np.ndarray:
    """Squared magnitudes of Hann-windowed frames.

    Args:
        signal: ``(n_samples,)``, full scale at ±1.
        sample_rate: Hz.
        win_length, hop_length, n_fft: samples; 25 ms, 10 ms and the next power of two where they are left out.

    Returns:
        ``(1 + n_samples // hop_length, n_fft // 2 + 1)`` float64.

    Raises:
        TypeError, ValueError: as for :func:`course.features.transform.stft`.
    """
    usual_window, usual_hop, usual_fft = frame_lengths(sample_rate)
    win_length = win_length or usual_window
    n_fft = n_fft or max(usual_fft, 1 << (win_length - 1).bit_length())
    return np.abs(stft(signal, n_fft, hop_length or usual_hop, hann_window(win_length))) ** 2


def log_mel(
    signal, sample_rate: float, n_mels: int = 40, f_min: float = 0.0, f_max: float | None = None, **framing
) -> np.ndarray:
    """Logarithm of the energy in each mel band of each frame.

    Args:
        signal: ``(n_samples,)``, full scale at ±1.
        sample_rate: Hz.
        n_mels, f_min, f_max: as for :func:`mel_filter_bank`.
        framing: as for :func:`power_spectra`.

    Returns:
        ``(n_frames, n_mels)`` float64, natural logarithm; that of :data:`FLOOR` where there is nothing.

    Raises:
        TypeError, ValueError: as for :func:`power_spectra` and :func:`mel_filter_bank`.
    """
    power = power_spectra(signal, sample_rate, **framing)
    bank = mel_filter_bank(sample_rate, 2 * (power.shape[1] - 1), n_mels, f_min, f_max)
    return np.log(np.maximum(power @ bank.T, FLOOR))


def _refuse_empty_bands(weights: np.ndarray, sample_rate: float, n_fft: int) -> None:
    empty = int(np.sum(~weights.any(axis=1)))
    if empty:
        raise ValueError(
            f"Bands with at least one bin each were expected, and {empty} of {len(weights)} are narrower than the "
            f"{sample_rate / n_fft:.4g} Hz between two bins. Ask for fewer bands or a larger n_fft."
        )
