"""A file that a stranger sent, to samples; what cannot be taken is refused from its header, before it is decoded."""

import io
from typing import NamedTuple

import numpy as np
import soundfile

from services.inference.problems import Problem

BLOCK = 65_536  # frames that are decoded at once
SLOWEST, FASTEST = 2_000, 384_000  # Hz; what claims another rate is no speech


class Recording(NamedTuple):
    """Samples ``(n_samples,)`` float32, all finite, channels averaged, and their rate in Hz."""

    samples: np.ndarray
    sample_rate: int

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.sample_rate


def read_recording(content: bytes, longest: float) -> Recording:
    """Decode WAV, FLAC, Ogg (Vorbis, Opus) or MP3.

    Args:
        content: of the file.
        longest: seconds that are taken.

    Raises:
        Problem: `corrupt_audio`, `empty_audio` or `audio_too_long`.
    """
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            rate = file.samplerate
            if not SLOWEST <= rate <= FASTEST:
                raise Problem(
                    "corrupt_audio", f"A rate of {SLOWEST} to {FASTEST} Hz was expected; {rate} Hz came.", "file"
                )
            _check_length(file.frames, rate, longest)
            samples = _decode(file, rate, longest)
    except (soundfile.SoundFileError, RuntimeError, ValueError, OSError) as error:
        raise Problem(
            "corrupt_audio",
            f"WAV, FLAC, Ogg or MP3 was expected, and the {len(content)} bytes that came cannot be decoded. "
            "Does a player open the file?",
            "file",
        ) from error
    if not len(samples):
        raise Problem("empty_audio", "A recording was expected and a file without samples came.", "file")
    if not np.isfinite(samples).all():
        raise Problem("corrupt_audio", "Finite samples were expected and NaN or infinite ones came.", "file")
    return Recording(samples, rate)


def _decode(file: soundfile.SoundFile, rate: int, longest: float) -> np.ndarray:
    """All frames, whatever the header says of their number; channels are averaged block by block."""
    blocks, frames = [np.zeros(0, np.float32)], 0
    for block in file.blocks(BLOCK, dtype="float32", always_2d=True):
        frames += len(block)
        _check_length(frames, rate, longest)
        blocks.append(block.mean(axis=1))
    return np.concatenate(blocks)


def _check_length(frames: int, rate: int, longest: float) -> None:
    if frames > longest * rate:
        raise Problem(
            "audio_too_long",
            f"A recording of at most {longest:g} s was expected and one of {frames / rate:.0f} s came. "
            "Cut it where nobody speaks, and send the parts.",
            "file",
        )
