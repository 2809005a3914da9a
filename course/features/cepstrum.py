"""Mel-frequency cepstral coefficients: a dozen numbers for the shape of a spectrum (Lecture 2).

Source: S. B. Davis and P. Mermelstein, Comparison of parametric representations for monosyllabic word recognition, IEEE
Transactions on Acoustics, Speech, and Signal Processing 28 (1980), section II.
"""

from functools import lru_cache

import numpy as np

from course.features.mel import log_mel


@lru_cache(maxsize=32)
def dct_matrix(n_coefficients: int, n_mels: int) -> np.ndarray:
    """The first rows of the orthonormal cosine transform (type 2): half a cycle more over the bands in every row.

    Args:
        n_coefficients: rows, at most ``n_mels``.
        n_mels: columns.

    Returns:
        ``(n_coefficients, n_mels)`` float64, read-only; its rows have length 1 and stand at right angles.

    Raises:
        ValueError: more coefficients than bands, or none.
    """
    if not 1 <= n_coefficients <= n_mels:
        raise ValueError(
            f"Between 1 and {n_mels} coefficients were expected, one for each band at most, and {n_coefficients} came."
        )
    band = np.arange(n_mels) + 0.5
    rows = np.sqrt(2 / n_mels) * np.cos(np.pi / n_mels * np.outer(np.arange(n_coefficients), band))
    rows[0] /= np.sqrt(2)
    rows.setflags(write=False)
    return rows


def mfcc(signal, sample_rate: float, n_coefficients: int = 13, n_mels: int = 40, **options) -> np.ndarray:
    """Mel-frequency cepstral coefficients: the cosine transform of the log mel energies of each frame.

    Coefficient 0 is the loudness, 1 the tilt from low to high, and so on in ever finer detail. Keeping 13 smooths the
    spectrum: the harmonics of the voice, and with them its pitch, are thrown away.

    Args:
        signal: ``(n_samples,)``, full scale at ±1.
        sample_rate: Hz.
        n_coefficients: at most ``n_mels``.
        n_mels, options: as for :func:`course.features.mel.log_mel`.

    Returns:
        ``(n_frames, n_coefficients)`` float64.

    Raises:
        TypeError, ValueError: as for :func:`course.features.mel.log_mel` and :func:`dct_matrix`.
    """
    return log_mel(signal, sample_rate, n_mels, **options) @ dct_matrix(n_coefficients, n_mels).T


def log_mel_from_mfcc(coefficients, n_mels: int = 40) -> np.ndarray:
    """The smooth log mel energies that cepstral coefficients stand for.

    Args:
        coefficients: ``(n_frames, n_coefficients)``.
        n_mels: bands.

    Returns:
        ``(n_frames, n_mels)``: of all with these coefficients the ones whose other coefficients are 0.

    Raises:
        ValueError: another number of dimensions, or more coefficients than bands.
    """
    coefficients = np.asarray(coefficients, dtype=np.float64)
    if coefficients.ndim != 2:
        raise ValueError(
            f"Coefficients were expected with shape (n_frames, n_coefficients), and came with {coefficients.shape}."
        )
    return coefficients @ dct_matrix(coefficients.shape[1], n_mels)
