"""From features back to sound (Lecture 2).

What a step of the features throws away is what cannot be heard after going back: the phases, the detail within a band,
the harmonics.

Sources: D. W. Griffin and J. S. Lim, Signal estimation from modified short-time Fourier transform, IEEE Transactions on
Acoustics, Speech, and Signal Processing 32 (1984); D. D. Lee and H. S. Seung, Algorithms for non-negative matrix
factorization, NIPS 13 (2000), for the bins behind the bands.
"""

import numpy as np

from course.features.mel import mel_filter_bank
from course.features.transform import frame_lengths, istft, stft
from course.sampling import as_signal, check_sample_rate
from course.spectrum import hann_window

TINY = 1e-12


def griffin_lim(
    magnitudes, hop_length: int, window=None, n_iterations: int = 32, length: int | None = None, seed: int | None = 0
) -> np.ndarray:
    """A signal whose frames have these magnitudes, as nearly as can be found.

    It begins with random phases. A step makes the signal, transforms that again, keeps the new phases and puts the
    wanted magnitudes back; the distance between wanted and real magnitudes never grows (see :func:`inconsistency`).

    Args:
        magnitudes: ``(n_frames, n_fft // 2 + 1)``, not negative.
        hop_length: samples from one frame to the next.
        window: ``(win_length,)``; Hann of ``n_fft`` if there is none.
        n_iterations: steps; 0 leaves the random phases.
        length: samples wanted; as for :func:`course.features.transform.istft`.
        seed: of the phases to begin with; None begins with phase 0 everywhere.

    Returns:
        ``(length,)`` float64.

    Raises:
        ValueError: magnitudes that are negative, not finite or of another shape, or fewer than 0 steps.
    """
    magnitudes = _as_magnitudes(magnitudes)
    if n_iterations < 0:
        raise ValueError(f"A number of steps of at least 0 was expected and {n_iterations} came.")
    turns = np.zeros(magnitudes.shape) if seed is None else np.random.default_rng(seed).random(magnitudes.shape)
    transform = magnitudes * np.exp(2j * np.pi * turns)
    n_fft, n_frames = 2 * (magnitudes.shape[1] - 1), len(magnitudes)
    whole = max(length or 0, (n_frames - 1) * hop_length, 1)
    for _ in range(n_iterations):
        again = stft(istft(transform, hop_length, window, whole), n_fft, hop_length, window)[:n_frames]
        transform = magnitudes * again / np.maximum(np.abs(again), TINY)
    return istft(transform, hop_length, window, length)


def inconsistency(magnitudes, signal, hop_length: int, window=None) -> float:
    """How far the magnitudes of a signal's frames are from those wanted, in dB below them; less is better.

    Args:
        magnitudes: ``(n_frames, n_fft // 2 + 1)``.
        signal: ``(n_samples,)``, long enough for ``n_frames``.
        hop_length, window: as for :func:`griffin_lim`.
    """
    magnitudes = _as_magnitudes(magnitudes)
    n_fft = 2 * (magnitudes.shape[1] - 1)
    there = np.abs(stft(signal, n_fft, hop_length, window))[: len(magnitudes)]
    error = np.sum((there - magnitudes) ** 2) / max(TINY, np.sum(magnitudes**2))
    return float(10 * np.log10(max(error, TINY)))


def exchange_phases(magnitudes_of, phases_of, n_fft: int, hop_length: int) -> np.ndarray:
    """A signal with the magnitudes of one and the phases of the other, frame by frame.

    Args:
        magnitudes_of, phases_of: ``(n_samples,)`` each; the longer one is cut.
        n_fft, hop_length: samples.

    Returns:
        ``(n_samples,)`` of the shorter one.
    """
    length = min(as_signal(magnitudes_of).size, as_signal(phases_of).size)
    loud = np.abs(stft(as_signal(magnitudes_of)[:length], n_fft, hop_length))
    turn = np.angle(stft(as_signal(phases_of)[:length], n_fft, hop_length))
    return istft(loud * np.exp(1j * turn), hop_length, length=length)


def spectra_from_mel(power, bank, n_iterations: int = 200) -> np.ndarray:
    """Power spectra, not negative, whose energies in the bands are the given ones.

    There are many; this is near the one that spreads each band's energy evenly, from which the multiplications start.

    Args:
        power: ``(n_frames, n_mels)``, not negative.
        bank: ``(n_mels, n_bins)``, from :func:`course.features.mel.mel_filter_bank`.
        n_iterations: steps of Lee and Seung's rule, which never raises the squared error.

    Returns:
        ``(n_frames, n_bins)``, not negative.

    Raises:
        ValueError: negative or infinite energies, or another number of bands than the bank has.
    """
    power, bank = _as_magnitudes(power), np.asarray(bank, dtype=np.float64)
    if power.shape[1] != bank.shape[0]:
        raise ValueError(f"Energies in {bank.shape[0]} bands were expected and those of {power.shape[1]} came.")
    spectra = power @ (bank / np.maximum(bank.sum(axis=1, keepdims=True), TINY))
    wanted, gram = power @ bank, bank.T @ bank
    for _ in range(n_iterations):
        spectra *= wanted / np.maximum(spectra @ gram, TINY)
    return spectra


def speech_from_log_mel(log_mel, sample_rate: float, n_iterations: int = 32, seed: int | None = 0) -> np.ndarray:
    """Sound from log mel energies in the usual framing: bins behind the bands, then phases by Griffin and Lim.

    Args:
        log_mel: ``(n_frames, n_mels)``, as :func:`course.features.mel.log_mel` makes them without further options.
        sample_rate: Hz.
        n_iterations, seed: as for :func:`griffin_lim`.

    Returns:
        ``((n_frames - 1) * hop_length,)`` float64, at least one sample.

    Raises:
        ValueError: no features, or not finite.
    """
    check_sample_rate(sample_rate)
    win_length, hop_length, n_fft = frame_lengths(sample_rate)
    power = np.exp(np.asarray(log_mel, dtype=np.float64))
    bank = mel_filter_bank(sample_rate, n_fft, _as_magnitudes(power).shape[1])
    magnitudes = np.sqrt(spectra_from_mel(power, bank))
    return griffin_lim(magnitudes, hop_length, hann_window(win_length), n_iterations, seed=seed)


def _as_magnitudes(magnitudes) -> np.ndarray:
    magnitudes = np.asarray(magnitudes, dtype=np.float64)
    if magnitudes.ndim != 2 or magnitudes.size == 0 or not np.isfinite(magnitudes).all() or (magnitudes < 0).any():
        raise ValueError(
            f"Magnitudes were expected with shape (n_frames, n_bins), finite and not negative, and came with "
            f"{magnitudes.shape}" + (", some below 0, NaN or infinite." if magnitudes.ndim == 2 else ".")
        )
    return magnitudes
