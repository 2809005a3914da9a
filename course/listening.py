"""Players: hear a signal in a notebook, and on the page that is built from it (Lecture 1)."""

import base64
import html
import io
import wave

import numpy as np

from course.sampling import as_signal, check_sample_rate

PLAYABLE_RATES = (3_000, 192_000)  # Hz: what the audio element of every current browser accepts


class Player:
    """A titled audio player: an HTML ``<audio>`` element that carries its sound as 16-bit WAV.

    Args:
        signal: ``(n_samples,)`` real samples; full scale is ±1, and what lies beyond is clipped, as a converter would
            do. The caption then says by how much.
        sample_rate: samples per second, Hz.
        title: what is heard, in plain text: the caption, and the name that a screen reader says.

    Raises:
        TypeError, ValueError: ``signal`` is not a signal (see :func:`course.sampling.as_signal`), the sample rate is
            one that browsers do not play, or the title is empty.
    """

    def __init__(self, signal, sample_rate: float, title: str):
        if not title.strip():
            raise ValueError(
                "A player was expected to have a title and came without. Say in a few words what is heard."
            )
        samples = as_signal(signal)
        peak = np.abs(samples).max()
        self.title = title
        self.caption = f"{title} (clipped: peak {peak:.1f} times full scale)" if peak > 1.05 else title
        self.wav = wav_bytes(samples, sample_rate)

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        source = "data:audio/wav;base64," + base64.b64encode(self.wav).decode("ascii")
        label, caption = html.escape(self.title, quote=True), html.escape(self.caption)
        player = (
            f'<figure class="player"><figcaption>{caption}</figcaption>'
            f'<audio controls preload="none" aria-label="{label}" src="{source}"></audio></figure>'
        )
        return {"text/html": player, "text/plain": self.caption}


def play(signal, sample_rate: float, title: str) -> Player:
    """A player for ``signal``; the last expression of a cell, or the argument of ``display``. See :class:`Player`."""
    return Player(signal, sample_rate, title)


def wav_bytes(signal, sample_rate: float) -> bytes:
    """Encode a signal as a mono WAV file with 16-bit linear samples.

    Args:
        signal: ``(n_samples,)`` real samples, clipped to [-1, 1].
        sample_rate: samples per second, Hz, rounded to a whole number; 3,000 to 192,000.

    Raises:
        ValueError: a sample rate that browsers do not play.
    """
    check_sample_rate(sample_rate)
    lowest, highest = PLAYABLE_RATES
    if not lowest <= sample_rate <= highest:
        raise ValueError(
            f"Browsers play sample rates from {lowest} to {highest} Hz, and {sample_rate:g} Hz came. "
            "Resample the signal first."
        )
    integers = np.round(np.clip(as_signal(signal), -1, 1) * 32_767).astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(round(sample_rate))
        writer.writeframes(integers.tobytes())
    return file.getvalue()
