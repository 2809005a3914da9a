"""Altered copies of recordings, so that a recogniser learns from more voices and rooms than it was given (Lecture 3).

An alteration takes a recording and returns one of the same words. What it changes must be what will differ in use, and
must leave the words what they are.

Sources: N. Jaitly and G. E. Hinton, Vocal tract length perturbation (VTLP) improves speech recognition, ICML workshop
(2013); T. Ko, V. Peddinti, D. Povey and S. Khudanpur, Audio augmentation for speech recognition, Interspeech (2015).
"""

from dataclasses import replace
from functools import partial
from zlib import crc32

import numpy as np
import soxr

from course.channels import mix_at_snr
from course.recordings import Recording


def with_speed(recording: Recording, factor: float) -> Recording:
    """Played ``factor`` times as fast: shorter by it, and every frequency higher by it, formants and pitch alike.

    To the ear it is another speaker: formants lie as much higher as the vocal tract is shorter.

    Args:
        factor: between 0.5 and 2; 1 changes nothing.

    Raises:
        ValueError: a factor outside that range, beyond which speech stops being speech.
    """
    if not 0.5 <= factor <= 2:
        raise ValueError(f"A speed between 0.5 and 2 was expected and {factor} came. Voices differ by 0.8 to 1.25.")
    signal = soxr.resample(recording.signal, recording.sample_rate * factor, recording.sample_rate)
    return replace(recording, name=f"{recording.name}@{factor:g}", signal=np.clip(signal, -1, 1))


def with_hiss(recording: Recording, snr_db: float) -> Recording:
    """Under pink noise, which has equal power in every octave; the noise follows from the recording's name.

    Args:
        snr_db: speech level over noise level in dB; a silent recording is returned as it came.
    """
    if not recording.signal.any():
        return recording
    rng = np.random.default_rng(crc32(recording.name.encode()))
    spectrum = np.fft.rfft(rng.standard_normal(max(recording.signal.size, 2)))
    spectrum /= np.sqrt(np.maximum(np.arange(spectrum.size), 1))
    hiss = np.fft.irfft(spectrum, max(recording.signal.size, 2))
    noisy = mix_at_snr(recording.signal, hiss, snr_db)
    return replace(recording, name=f"{recording.name}@{snr_db:g}dB", signal=np.clip(noisy, -1, 1))


VOICES = tuple(partial(with_speed, factor=factor) for factor in (0.9, 1.1))
ROOMS = tuple(partial(with_hiss, snr_db=snr_db) for snr_db in (15, 5))
