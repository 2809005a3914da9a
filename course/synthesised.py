"""What `course.recordings` falls back on: espeak-ng speaking the words of a corpus whose files are not here.

One process speaks a whole list: espeak-ng carries state from sentence to sentence, so that the same list, and only the
same list, gives the same samples again.
"""

import json
import subprocess
import sys
from functools import lru_cache
from zlib import crc32

import numpy as np

from course.errors import CourseError
from course.voices import SAMPLE_RATE, _synthesise

# The variants f2, f3 and f5 are left out: they give other samples from one run to the next.
VOICES = {
    "george": "en+m1",
    "jackson": "en-us+m3",
    "lucas": "en-us+m7",
    "nicolas": "en-gb-scotland+m2",
    "theo": "en-us+f1",
    "yweweler": "en-gb-x-rp+m4",
}
PROMPT_VOICE = "en-us+f4"
DIGIT_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
DIGIT_RATES = (120, 140, 160, 180, 200)
READINGS_PER_SPEAKER, PROMPTS_PER_PROCESS = 2, 20


def speak_digit(speaker: str, word: str, take: int) -> np.ndarray:
    """One take of a digit: one of five speaking rates, its speed and loudness changed a little, other in each take.

    Returns:
        ``(n_samples,)`` float32 at 8 kHz.
    """
    rates = len(DIGIT_RATES)
    spoken = _digits_of(speaker)[DIGIT_WORDS.index(word) * rates + take % rates]
    rng = np.random.default_rng(crc32(f"{speaker} {word} {take}".encode()))
    speed, gain = rng.uniform(0.9, 1.1), rng.uniform(0.3, 0.9)
    changed = _resample(_trimmed(spoken), SAMPLE_RATE * speed, 8000)
    noise = 1e-3 * rng.standard_normal(changed.size)
    return (gain * changed / np.abs(changed).max() + noise).astype(np.float32)


def _trimmed(signal: np.ndarray) -> np.ndarray:
    """Without the silence around it, as the corpus is cut."""
    loud = np.flatnonzero(np.abs(signal) > 0.02 * np.abs(signal).max())
    return signal[loud[0] : loud[-1] + 1]


@lru_cache
def _digits_of(speaker: str) -> tuple[np.ndarray, ...]:
    return speak_all(tuple((word, VOICES[speaker], rate) for word in DIGIT_WORDS for rate in DIGIT_RATES))


@lru_cache
def speak_readings(texts: tuple[tuple[str, str], ...]) -> dict[str, np.ndarray]:
    """The first readings of each speaker by name, ``(n_samples,)`` float32 at 16 kHz."""
    speakers = list(dict.fromkeys(name.split("-")[0] for name, _ in texts))
    chosen = texts[: READINGS_PER_SPEAKER * len(speakers)]
    voices = [list(VOICES.values())[speakers.index(name.split("-")[0]) % len(VOICES)] for name, _ in chosen]
    spoken = speak_all(tuple((text, voice, 150) for (_, text), voice in zip(chosen, voices, strict=True)))
    return {name: _resample(signal, SAMPLE_RATE, 16000) for (name, _), signal in zip(chosen, spoken, strict=True)}


def speak_prompts(texts: tuple[str, ...], n: int) -> list[np.ndarray]:
    """The first n of the texts, ``(n_samples,)`` float32 at 8 kHz each."""
    starts = range(0, n, PROMPTS_PER_PROCESS)
    return [signal for start in starts for signal in _prompts(texts[start : start + PROMPTS_PER_PROCESS])][:n]


@lru_cache
def _prompts(texts: tuple[str, ...]) -> list[np.ndarray]:
    spoken = speak_all(tuple((text, PROMPT_VOICE, 150) for text in texts))
    return [_resample(signal, SAMPLE_RATE, 8000) for signal in spoken]


def synthetic_clatter(seconds: float = 30.0, sample_rate: int = 16000) -> np.ndarray:
    """Running water with ringing dishes in it, ``(n_samples,)`` float32, the same each time."""
    rng = np.random.default_rng(7)
    n = int(seconds * sample_rate)
    noise = 0.02 * rng.standard_normal(n)
    time = np.arange(sample_rate // 4) / sample_rate
    for start in rng.integers(0, n - time.size, int(6 * seconds)):
        tones = np.sin(2 * np.pi * rng.uniform(800, 5000, (3, 1)) * time).sum(0)
        noise[start : start + time.size] += rng.uniform(0.02, 0.15) * np.exp(-time * rng.uniform(20, 80)) * tones
    return np.clip(noise, -1, 1).astype(np.float32)


def speak_all(sentences: tuple[tuple[str, str, int], ...]) -> tuple[np.ndarray, ...]:
    """Speak a list in one fresh process; the same list gives the same samples.

    Args:
        sentences: text, espeak-ng voice and words per minute of each.

    Returns:
        ``(n_samples,)`` float32 in [-1, 1] at 22,050 Hz for each.

    Raises:
        CourseError: a voice that espeak-ng does not have.
    """
    command = [sys.executable, "-m", "course.synthesised"]
    done = subprocess.run(command, input=json.dumps(sentences).encode(), capture_output=True)
    if done.returncode:
        raise CourseError(done.stderr.decode().strip())
    header, _, samples = done.stdout.partition(b"\n")
    ends = np.cumsum(json.loads(header))
    return tuple(np.split(np.frombuffer(samples, "<i2").astype(np.float32) / 32768, ends[:-1]))


def _resample(signal: np.ndarray, rate: float, wanted: int) -> np.ndarray:
    import soxr

    return np.clip(soxr.resample(signal, rate, wanted), -1, 1).astype(np.float32)


if __name__ == "__main__":
    try:
        spoken = [_synthesise(*sentence) for sentence in json.load(sys.stdin)]
    except CourseError as error:
        sys.exit(str(error))
    sys.stdout.buffer.write(json.dumps([len(part) // 2 for part in spoken]).encode() + b"\n" + b"".join(spoken))
