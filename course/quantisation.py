"""Amplitudes in a fixed number of bits: uniform steps, and the telephone's µ-law (Lecture 1, *Sound as numbers*).

Sources: W. R. Bennett, Spectra of quantized signals, 1948 (the 6 dB per bit); ITU-T Recommendation G.711, 1988,
tables 2a and 2b (µ-law).
"""

import numpy as np

from course.sampling import as_signal

MU = 255
SEGMENT_BIAS = 33  # G.711: makes every segment of the µ-law start at a power of two
LARGEST_MAGNITUDE = 8158  # G.711: where the coder clips, on its scale of 14-bit integers


def quantise(signal, bits: int) -> np.ndarray:
    """Round every sample to the nearest of ``2**bits`` equally spaced values.

    The values are the multiples of ``step = 2 / 2**bits`` from -1 to ``1 - step``, as in linear PCM; a sample beyond
    them is clipped.

    Args:
        signal: ``(n_samples,)`` real samples, full scale ±1.
        bits: bits per sample, 1 to 32.

    Returns:
        ``(n_samples,)`` float64.

    Raises:
        ValueError: ``bits`` is not a whole number from 1 to 32.
    """
    if bits != int(bits) or not 1 <= bits <= 32:
        raise ValueError(f"A whole number of 1 to 32 bits was expected and {bits!r} came. Telephones use 8, discs 16.")
    half = 2 ** (int(bits) - 1)
    return np.clip(np.round(as_signal(signal) * half), -half, half - 1) / half


def mu_law_compress(signal, mu: float = MU) -> np.ndarray:
    """The continuous µ-law curve ``sign(x) ln(1 + µ|x|) / ln(1 + µ)``.

    Args:
        signal: ``(n_samples,)`` in [-1, 1].
        mu: strength of the curve, above 0.

    Returns:
        ``(n_samples,)`` float64 in [-1, 1].

    Raises:
        ValueError: a sample lies outside [-1, 1].
    """
    samples = _within_full_scale(signal)
    return np.sign(samples) * np.log1p(mu * np.abs(samples)) / np.log1p(mu)


def mu_law_expand(compressed, mu: float = MU) -> np.ndarray:
    """The inverse of :func:`mu_law_compress`, with the same shapes and the same errors."""
    samples = _within_full_scale(compressed)
    return np.sign(samples) * np.expm1(np.abs(samples) * np.log1p(mu)) / mu


def mu_law_encode(signal) -> np.ndarray:
    """One G.711 byte per sample: sign, three bits of segment, four bits within the segment, all inverted.

    Args:
        signal: ``(n_samples,)`` real samples, full scale ±1; what lies beyond is clipped.

    Returns:
        ``(n_samples,)`` uint8.
    """
    integers = np.clip(np.round(as_signal(signal) * 32_768), -32_768, 32_767).astype(np.int32)  # 16-bit samples
    magnitude = np.minimum(np.abs(integers) >> 2, LARGEST_MAGNITUDE) + SEGMENT_BIAS
    segment = np.frexp(magnitude)[1] - 6  # 33..63 is segment 0, 64..127 segment 1, and so on to 7
    step = (magnitude >> (segment + 1)) & 0x0F
    sign = np.where(integers < 0, 0x80, 0)
    return (~(sign | segment << 4 | step)).astype(np.uint8)


def mu_law_decode(codes) -> np.ndarray:
    """The sample that each G.711 µ-law byte stands for.

    Args:
        codes: ``(n_samples,)`` uint8.

    Returns:
        ``(n_samples,)`` float32 in (-1, 1): the middle of the interval that the coder rounded.

    Raises:
        TypeError: the codes are not uint8.
    """
    codes = np.asarray(codes)
    if codes.dtype != np.uint8:
        raise TypeError(
            f"µ-law codes were expected as uint8 and came as {codes.dtype}. Encode with mu_law_encode first."
        )
    code = ~codes.astype(np.int32)
    segment, step = code >> 4 & 0x07, code & 0x0F
    magnitude = (2 * step + SEGMENT_BIAS << segment) - SEGMENT_BIAS
    return (np.where(code & 0x80, -magnitude, magnitude) / 8_192).astype(np.float32)


def _within_full_scale(signal) -> np.ndarray:
    samples = as_signal(signal)
    peak = np.abs(samples).max()
    if peak > 1:
        raise ValueError(
            f"Samples in [-1, 1] were expected and a peak of {peak:.4g} came. Divide by the peak, or clip with np.clip."
        )
    return samples
