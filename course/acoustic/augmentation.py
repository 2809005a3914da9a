"""Training strings: recordings joined at random, and changed so that five voices stand for more (Lecture 5).

What is changed, and what it stands for:

===================  ==============================================  =============================================
on the waveform      speed, pitch and formants together              Ko et al. (2015)
on the mel filters   length of the vocal tract                       Jaitly and Hinton (2013)
on the mel power     the colour of the line, and noise under it      a telephone that was not measured
on the features      bands and moments that are missing              SpecAugment, Park et al. (2019)
===================  ==============================================  =============================================
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from course.acoustic import frontend

GAP = (0.0, 0.3)  # seconds between words of a training string, and at its ends
LEVELS = (0.3, 1.0)  # peaks of the words of a training string, of full scale
EDGE_NOISE = 1e-2  # of full scale, at most: no line is ever quite silent


@dataclass(frozen=True)
class Augmentation:
    """How far training changes what it hears; each amount is drawn anew for every string.

    Attributes:
        speed: largest factor of tempo and pitch, up or down; 1 changes nothing.
        warp: largest factor of the frequency axis, up or down; 1 changes nothing.
        colour_db: largest gain or loss of one end of the spectrum against the other.
        noise_db: signal-to-noise ratios between which two strings of three fall; None adds no noise.
        bands: most filters that one of two gaps in frequency takes out.
        moments: most frames that one of two gaps in time takes out.
    """

    speed: float = 1.0
    warp: float = 1.0
    colour_db: float = 0.0
    noise_db: tuple[float, float] | None = (5.0, 35.0)
    bands: int = 6
    moments: int = 10


PLAIN = Augmentation(noise_db=None, bands=0, moments=0)
NOISY = Augmentation()  # what the shipped networks were trained with
BENT = Augmentation(speed=1.18, warp=1.2, colour_db=12.0)  # as NOISY, and everything else that is in the table above


def string_signal(signals, rng: np.random.Generator, speed: float) -> np.ndarray:
    """Recordings joined with short pauses, each at its own level, played ``speed`` times as fast.

    Args:
        signals: list of ``(n_samples,)`` at 8 kHz.
        rng: draws the pauses and levels.
        speed: of tempo and pitch.

    Returns:
        ``(n_samples,)`` float32.
    """
    pieces = []
    for signal in signals:
        pieces.append(np.zeros(_gap(rng), np.float32))
        pieces.append(signal * np.float32(rng.uniform(*LEVELS) / (np.abs(signal).max() + 1e-6)))
    joined = np.concatenate([*pieces, np.zeros(_gap(rng), np.float32)])
    if speed != 1:
        places = np.arange(0, joined.size - 1, speed)
        joined = np.interp(places, np.arange(joined.size), joined).astype(np.float32)
    return joined + EDGE_NOISE * rng.random() * rng.standard_normal(joined.size, dtype=np.float32)


def _gap(rng: np.random.Generator) -> int:
    return int(rng.uniform(*GAP) * frontend.SAMPLE_RATE)


def batch_features(
    signals: list[np.ndarray], rng: np.random.Generator, augmentation: Augmentation
) -> tuple[torch.Tensor, torch.Tensor]:
    """Features of several strings, each bent in its own way.

    Args:
        signals: list of ``(n_samples,)`` at 8 kHz.
        rng: draws the changes.
        augmentation: how far they go.

    Returns:
        ``(batch, frames, N_MELS)``, padded with 0, and the frames of each, ``(batch,)``.
    """
    n_frames = torch.tensor([frontend.frame_count(signal.size) for signal in signals])
    noisy = [with_line_noise(signal, rng, augmentation) for signal in signals]
    padded = torch.nn.utils.rnn.pad_sequence([torch.from_numpy(signal) for signal in noisy], batch_first=True)
    filters = torch.stack([frontend.mel_filters(_factor(rng, augmentation.warp)) for _ in signals])
    mel_power = filters @ frontend.power_spectra(padded)
    features = frontend.normalised(mel_power * _colours(len(signals), rng, augmentation.colour_db), n_frames)
    for utterance, count in zip(features, n_frames.tolist(), strict=True):
        _cut_gaps(utterance, count, rng, augmentation)
    return features, n_frames


def with_line_noise(signal: np.ndarray, rng: np.random.Generator, augmentation: Augmentation) -> np.ndarray:
    """The signal, or in two of three cases the signal with coloured noise under it; ``(n_samples,)`` float32."""
    if augmentation.noise_db is None or rng.random() < 1 / 3:
        return signal
    noises = coloured_noises()
    noise = noises[rng.integers(len(noises))]
    start = rng.integers(noise.size - signal.size) if noise.size > signal.size else 0
    excerpt = np.resize(noise[start : start + signal.size], signal.size)
    ratio = 10 ** (-rng.uniform(*augmentation.noise_db) / 20)
    return signal + excerpt * np.float32(ratio * signal.std() / (excerpt.std() + 1e-9))


@lru_cache(maxsize=1)
def coloured_noises() -> tuple[np.ndarray, ...]:
    """Sixteen noises of 12 s at 8 kHz: spectra that fall by 0 to 9 dB an octave; every other one comes in bursts."""
    rng = np.random.default_rng(1)
    n_samples = 12 * frontend.SAMPLE_RATE
    frequencies = np.maximum(np.fft.rfftfreq(n_samples, 1 / frontend.SAMPLE_RATE), 50)
    noises = []
    for number in range(16):
        spectrum = np.fft.rfft(rng.standard_normal(n_samples)) * frequencies ** -rng.uniform(0, 1.5)
        noise = np.fft.irfft(spectrum, n_samples)
        if number % 2:
            knots = rng.exponential(size=12 * 8)  # eight levels a second
            noise *= np.interp(np.linspace(0, knots.size - 1, n_samples), np.arange(knots.size), knots)
        noises.append((noise / noise.std()).astype(np.float32))
    return tuple(noises)


def _factor(rng: np.random.Generator, largest: float) -> float:
    """A factor between ``1 / largest`` and ``largest`` on a grid of 41, so that few filter banks are computed."""
    return round(float(largest ** (rng.integers(-20, 21) / 20)), 6)


def _colours(batch: int, rng: np.random.Generator, most_db: float) -> torch.Tensor:
    """Gains of a smooth filter for every string, ``(batch, N_MELS, 1)``: a slope and half a wave over the mel axis."""
    place = np.linspace(-1, 1, frontend.N_MELS)
    slope, wave = rng.uniform(-most_db, most_db, (2, batch, 1)) / 2
    phase = rng.uniform(0, 2 * np.pi, (batch, 1))
    gain_db = slope * place + wave * np.sin(np.pi * place + phase)
    return torch.from_numpy((10 ** (gain_db / 10)).astype(np.float32))[..., None]


def _cut_gaps(features: torch.Tensor, n_frames: int, rng: np.random.Generator, augmentation: Augmentation) -> None:
    """Set two bands and two moments of ``features`` ``(frames, N_MELS)`` to about their mean, 0, in place."""
    for _ in range(2):
        band, moment = rng.integers(augmentation.bands + 1), rng.integers(augmentation.moments + 1)
        low, start = rng.integers(frontend.N_MELS - band), rng.integers(max(1, n_frames - moment))
        features[:, low : low + band] = 0
        features[start : start + moment] = 0
