"""The corpora that the course uses, as a registry (see `course.registry`), and ways to read them."""

import gzip
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from course.errors import CourseError
from course.registry import Archive, DebianPackage, GitCommit, Registry, Resource

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
        ),
        Resource(
            name="fsdd",
            title="Free Spoken Digit Dataset",
            licence="CC BY-SA 4.0",
            citation="Z. Jackson et al., Free Spoken Digit Dataset, 6 speakers, commit 26eb9aa, 2016-2020",
            homepage="https://github.com/Jakobovski/free-spoken-digit-dataset",
            bytes=21_128_848,
            origin=Archive(url="https://github.com/Jakobovski/free-spoken-digit-dataset/archive/26eb9aa.tar.gz"),
        ),
        Resource(
            name="librispeech-test-other",
            title="LibriSpeech test-other, an excerpt",
            licence="CC BY 4.0",
            citation="V. Panayotov et al., Librispeech: an ASR corpus based on public domain audio books, ICASSP 2015",
            homepage="https://www.openslr.org/12",
            bytes=11_656_827,
            origin=Archive(
                url="https://github.com/resemble-ai/Resemblyzer/archive/4596465caf9328c9dedfe80c2a4468255ba8428d.tar.gz",
                folder=Path("audio_data/librispeech_test-other"),
            ),
        ),
        Resource(
            name="kitchen-noise",
            title="Somebody doing the dishes, from Speech Commands",
            licence="CC BY 4.0",
            citation="P. Warden, Speech Commands: A Dataset for Limited-Vocabulary Speech Recognition, 2018",
            homepage="https://github.com/LCAV/pyroomacoustics",
            bytes=3_045_984,
            origin=Archive(
                url="https://github.com/LCAV/pyroomacoustics/archive/refs/tags/v0.7.7.tar.gz",
                folder=Path("examples/input_samples"),
            ),
            mirrored_as="noise",
        ),
        Resource(
            name="harper-valley",
            title="Gridspace-Stanford Harper Valley bank calls",
            licence="Apache-2.0",
            citation="M. Wu et al., HarperValleyBank: A Domain-Specific Spoken Dialog Corpus, arXiv 2010.13929, 2020",
            homepage="https://github.com/cricketclub/gridspace-stanford-harper-valley",
            bytes=2_700_000_000,  # estimated: 23.7 hours of both sides at 8 kHz and 16 bits
            origin=GitCommit(
                url="https://github.com/cricketclub/gridspace-stanford-harper-valley.git",
                commit="e48a91da7cd0cb3ab05545098b8a6d469fb4c2ac",
                folder=Path("data"),
            ),
        ),
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
