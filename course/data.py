"""The corpora that the course uses, as a registry (see `course.registry`), and ways to read them."""

import gzip
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from course.errors import CourseError
from course.registry import DebianPackage, Registry, Resource

CORPORA = Registry(
    "corpus",
    [
        Resource(
            name="asterisk-en",
            title="Asterisk core sounds, US English",
            licence="CC BY-SA 3.0",
            citation="Allison Smith (voice) and Digium, Inc., Asterisk core sounds 1.6.1, 2003-2010",
            homepage="https://www.asterisk.org",
            bytes=24_484_548,
            origin=DebianPackage(
                package="asterisk-core-sounds-en-wav", folder=Path("/usr/share/asterisk/sounds/en_US_f_Allison")
            ),
        )
    ],
)

# What the prompts used by lectures say, so that a machine without the recordings can synthesise the same words.
PROMPTS = {
    "agent-pass": "Please enter your password followed by the pound key.",
    "cannot-complete-as-dialed": "Your call cannot be completed as dialed.",
    "hello-world": "Hello world.",
    "please-try-call-later": "Please try your call again later.",
    "ss-noservice": "The number you have dialed is not in service. Please check the number and try again.",
    "vm-goodbye": "Goodbye",
}
TRANSCRIPTS = Path("/usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz")


@dataclass(frozen=True)
class Prompt:
    """A telephone prompt.

    Attributes:
        signal: (n_samples,) float32 in [-1, 1].
        sample_rate: samples per second, in Hz; 8,000 for every prompt.
        text: the words that are spoken.
        origin: whether a person recorded it or espeak-ng synthesised it, for the caption of whatever uses it.
    """

    signal: np.ndarray
    sample_rate: int
    text: str
    origin: str


@lru_cache
def prompt(name: str) -> Prompt:
    """A telephone prompt by its Asterisk name, recorded where the recordings are installed, else synthesised.

    Lecture 1. The synthesis is espeak-ng's, brought to 8 kHz, and the same each time.

    Raises:
        CourseError: a name that the course does not know.
    """
    if name not in PROMPTS:
        raise CourseError(f"No prompt is called {name!r}; the course uses: {', '.join(sorted(PROMPTS))}.")
    path = CORPORA.locate("asterisk-en", f"{name}.wav")
    if path is None:
        return _synthesised(PROMPTS[name])
    import soundfile

    signal, sample_rate = soundfile.read(path, dtype="float32")
    signal.setflags(write=False)
    return Prompt(signal, sample_rate, PROMPTS[name], "recorded by Allison Smith for Asterisk")


def _synthesised(text: str) -> Prompt:
    import soxr

    from course.voices import speak

    signal, sample_rate = speak(text)
    narrow = soxr.resample(signal, sample_rate, 8000).astype(np.float32)
    narrow.setflags(write=False)
    return Prompt(narrow, 8000, text, "synthesised by espeak-ng (the Asterisk recordings are not installed)")


def published_transcripts() -> dict[str, str]:
    """Prompt name to words for all 568 prompts, from the package ``asterisk-core-sounds-en``; empty without it."""
    if not TRANSCRIPTS.exists():
        return {}
    lines = gzip.decompress(TRANSCRIPTS.read_bytes()).decode().splitlines()
    pairs = (re.match(r"([\w/-]+): (.*)", line) for line in lines if not line.startswith(";"))
    return {match[1]: match[2].strip() for match in pairs if match}
