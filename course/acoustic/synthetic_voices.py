"""Thirty synthetic speakers of the ten digits, who stand in training for people whom nobody recorded (Lecture 5).

A formant synthesiser sounds like no caller. But its voices have vocal tracts of other lengths and its accents other
vowels, and five people have too few of both. Sources for the idea: A. Rosenberg et al., Speech recognition with
augmented synthesized speech, ASRU 2019.
"""

from functools import lru_cache

import numpy as np
import soxr

from course.acoustic.frontend import SAMPLE_RATE
from course.recordings import DIGITS, Recording
from course.synthesised import speak_all
from course.voices import SAMPLE_RATE as SPOKEN_RATE

ACCENTS = (
    "en-us",
    "en",
    "en-gb-scotland",
    "en-gb-x-rp",
    "en-gb-x-gbclan",
    "en-gb-x-gbcwmd",
    "en-029",
    "en-us-nyc",
)
# f2, f3 and f5 are left out: they give other samples from one run to the next.
TRACTS = ("m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "f1", "f4")
RATES = (130, 160, 190)  # words a minute
N_VOICES = 30
HISS = 1e-3  # of full scale, under each recording
SILENCE = 0.02  # of the peak: what is below it at either end is cut, as in the corpus


@lru_cache(maxsize=1)
def synthetic_voices() -> tuple[Recording, ...]:
    """Every digit by every voice at three speaking rates: 900 recordings at 8 kHz, the same each time.

    Raises:
        CourseError: espeak-ng is missing or lacks a voice.
    """
    rng = np.random.default_rng(0)
    names = [f"{ACCENTS[n % len(ACCENTS)]}+{TRACTS[n % len(TRACTS)]}" for n in range(N_VOICES)]
    return tuple(recording for name in names for recording in _digits_of(name, rng))


def _digits_of(voice: str, rng: np.random.Generator) -> list[Recording]:
    sentences = tuple((word, voice, rate) for word in DIGITS for rate in RATES)
    recordings = []
    for (word, _, rate), spoken in zip(sentences, speak_all(sentences), strict=True):
        signal = _trimmed(soxr.resample(spoken, SPOKEN_RATE, SAMPLE_RATE))
        signal = (signal + HISS * rng.standard_normal(signal.size)).astype(np.float32)
        name = f"{word}_{voice}_{rate}"
        recordings.append(Recording(name, signal, SAMPLE_RATE, word, voice, "synthesised by espeak-ng", False))
    return recordings


def _trimmed(signal: np.ndarray) -> np.ndarray:
    loud = np.flatnonzero(np.abs(signal) > SILENCE * np.abs(signal).max())
    return signal[loud[0] : loud[-1] + 1]
