"""From 8 kHz speech to log-mel features for the network, and how they can be bent (Lecture 5).

Lecture 2 builds such features one step at a time. These are the same, computed for a batch at once, with two additions:
the mel filters can be warped, which makes a voice sound as if its vocal tract had another length, and a gain for each
filter, which is a telephone line that nobody has measured.
"""

from functools import lru_cache

import numpy as np
import torch

SAMPLE_RATE = 8_000  # Hz, of everything that the network hears
N_FFT, WINDOW, HOP_LENGTH = 256, 200, 80  # samples: 32 ms, 25 ms, 10 ms
N_MELS = 40
LOWEST, HIGHEST = 60.0, 3_900.0  # Hz, the outer corners of the mel filters
FLOOR = 1e-5  # of the power of the loudest cell: what is 50 dB below it is silence
TYPICAL_FRAMES, TYPICAL_MEAN, TYPICAL_DEVIATION = 30, -9.5, 2.5  # 0.3 s of it; natural logarithms
FRAME_SECONDS = HOP_LENGTH / SAMPLE_RATE


def mel(frequency):
    """Mel of a frequency in Hz, O'Shaughnessy's formula."""
    return 2595 * np.log10(1 + np.asarray(frequency) / 700)


def hertz(mels):
    """Frequency in Hz of a place on the mel scale: the inverse of :func:`mel`."""
    return 700 * (10 ** (np.asarray(mels) / 2595) - 1)


@lru_cache(maxsize=128)
def mel_filters(warp: float = 1.0) -> torch.Tensor:
    """Triangular filters, evenly spaced in mel, with their corners moved by a factor.

    Args:
        warp: every corner below 3,000 Hz is multiplied by it, those above are spread over what is left, so that the
            highest stays (Jaitly and Hinton 2013). Below 1, the voice seems to come from a shorter vocal tract.

    Returns:
        ``(N_MELS, N_FFT // 2 + 1)`` float32; each row's largest weight is about 1.
    """
    corners = hertz(np.linspace(mel(LOWEST), mel(HIGHEST), N_MELS + 2))
    knee = 3_000 / max(warp, 1)
    above = HIGHEST - (HIGHEST - warp * knee) * (HIGHEST - corners) / (HIGHEST - knee)
    corners = np.where(corners <= knee, warp * corners, above)
    bins = np.arange(N_FFT // 2 + 1) * SAMPLE_RATE / N_FFT
    left, centre, right = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    weights = np.minimum((bins - left) / (centre - left), (right - bins) / (right - centre))
    return torch.from_numpy(np.maximum(weights, 0).astype(np.float32))


def power_spectra(signals: torch.Tensor) -> torch.Tensor:
    """Power of Hann-windowed frames, centred on every 80th sample.

    Args:
        signals: ``(batch, n_samples)`` float32 at 8 kHz.

    Returns:
        ``(batch, N_FFT // 2 + 1, n_samples // HOP_LENGTH + 1)``.
    """
    window = torch.hann_window(WINDOW)
    spectra = torch.stft(signals, N_FFT, HOP_LENGTH, WINDOW, window, pad_mode="constant", return_complex=True)
    return spectra.abs().square()


def frame_count(n_samples: int) -> int:
    """Frames that :func:`power_spectra` makes of so many samples."""
    return n_samples // HOP_LENGTH + 1


def normalised(mel_power: torch.Tensor, n_frames: torch.Tensor) -> torch.Tensor:
    """Logarithm of mel power over a floor, then about mean 0 and variance 1 for each filter.

    The level of the recording drops out, and most of a steady filter in front of it. Lecture 2 takes mean and variance
    of the utterance; half a second of a single digit is too little for that, so here 0.3 s of typical speech count as
    if they had been heard before.

    Args:
        mel_power: ``(batch, N_MELS, frames)``.
        n_frames: ``(batch,)`` how many frames of each utterance count; the rest comes out as 0.

    Returns:
        ``(batch, frames, N_MELS)``.
    """
    counts = (torch.arange(mel_power.shape[2]) < n_frames[:, None]).float()[:, None]  # (batch, 1, frames)
    peak = (mel_power * counts).amax(dim=(1, 2), keepdim=True)
    levels = torch.log(mel_power / (peak + 1e-20) + FLOOR) * counts
    heard = (n_frames + TYPICAL_FRAMES)[:, None, None]
    mean = (levels.sum(2, keepdim=True) + TYPICAL_FRAMES * TYPICAL_MEAN) / heard
    centred = (levels - mean) * counts
    variance = (centred.square().sum(2, keepdim=True) + TYPICAL_FRAMES * TYPICAL_DEVIATION**2) / heard
    return (centred / variance.sqrt()).transpose(1, 2)


def log_mel(signal: np.ndarray, warp: float = 1.0) -> torch.Tensor:
    """Features of one recording.

    Args:
        signal: ``(n_samples,)`` at 8 kHz.
        warp: of the filters, see :func:`mel_filters`.

    Returns:
        ``(1, frames, N_MELS)`` float32, a frame every 10 ms.
    """
    power = power_spectra(torch.from_numpy(np.array(signal, dtype=np.float32))[None])
    return normalised(mel_filters(warp) @ power, torch.tensor([power.shape[2]]))
