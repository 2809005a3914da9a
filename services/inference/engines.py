"""What a step is: fake engines for tests and load, and Moonshine; SmolLM2 has a module of its own, `smollm`."""

import hashlib
import time
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from course.errors import CourseError
from course.models import MODELS
from services.inference.jobs import Reply, Transcript
from services.inference.running import Engine

Messages = Sequence[dict[str, str]]  # each with "role" and "content"
WORDS = (
    "the",
    "your",
    "card",
    "a",
    "balance",
    "transfer",
    "branch",
    "please",
    "we",
    "open",
    "Monday",
    "thank",
    "is",
    "of",
)


class ChatEngine(Engine, Protocol):
    """An engine whose jobs are `Reply` and whose parts are tokens.

    Attributes:
        end_tokens: tokens that end an answer.
    """

    end_tokens: frozenset[int]

    def encode(self, messages: Messages) -> list[int]:
        """The prompt that the model was taught to answer.

        Raises:
            ValueError: text that would be taken for the marks between messages.
        """

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of tokens."""


class FakeChat:
    """Answers at random, but always the same to the same question: no model, no arithmetic, one token a word.

    Args:
        slots: replies side by side.
        seconds: that a step takes, whatever its batch.
        seed: of the answers.
    """

    model, end_tokens = "fake-chat", frozenset({0})

    def __init__(self, slots: int = 16, seconds: float = 0.0, seed: int = 0):
        self.slots, self.seconds, self.seed = slots, seconds, seed
        self.taken: list[Reply] = []

    def load(self) -> None:
        """There is nothing to load."""

    def encode(self, messages: Messages) -> list[int]:
        return [_number(word) for one in messages for word in (one["role"], *one["content"].split())]

    def decode(self, tokens: Sequence[int]) -> str:
        return "".join(f"{WORDS[token % len(WORDS)]} " for token in tokens)

    def begin(self, jobs: Sequence[Reply]) -> list[int]:
        tokens = self._next(jobs)
        self.taken += jobs
        return tokens

    def step(self, jobs: Sequence[Reply]) -> list[int]:
        return self._next(jobs)

    def end(self, job: Reply) -> None:
        if job in self.taken:
            self.taken.remove(job)

    def _next(self, jobs: Sequence[Reply]) -> list[int]:
        time.sleep(self.seconds)
        return [self._token(job) for job in jobs]

    def _token(self, job: Reply) -> int:
        """One in 25 tokens is an end, once there are a few."""
        chance = job.sampling if job.sampling.temperature else ""
        number = _number(f"{self.seed} {chance} {job.prompt} {job.tokens}")
        return 0 if number % 25 == 0 and len(job.tokens) > 3 else 1 + number % (2**31 - 1)


class FakeSpeech:
    """Says how long a recording is and how loud, a sentence for each ten seconds.

    Args:
        slots: recordings side by side.
        seconds: that a step takes.
    """

    model = "fake-speech"

    def __init__(self, slots: int = 4, seconds: float = 0.0):
        self.slots, self.seconds = slots, seconds

    def load(self) -> None:
        """There is nothing to load."""

    def begin(self, jobs: Sequence[Transcript]) -> list[str]:
        for job in jobs:
            step = 10 * job.sample_rate
            job.pieces = [job.samples[at : at + step] for at in range(0, len(job.samples), step)]
        return self.step(jobs)

    def step(self, jobs: Sequence[Transcript]) -> list[str]:
        time.sleep(self.seconds)
        return [self._sentence(job.pieces.pop(0), job.sample_rate) for job in jobs]

    def end(self, job: Transcript) -> None:
        """A recording keeps nothing here."""

    @staticmethod
    def _sentence(piece: np.ndarray, sample_rate: int) -> str:
        loudness = float(np.sqrt(np.mean(np.square(piece, dtype=np.float64))))
        return f"{len(piece) / sample_rate:.1f} seconds, level {loudness:.3f}."


class Moonshine:
    """Moonshine tiny. Recordings take turns: a step recognises one piece, 30 s at most, of each.

    So half an hour of sound does not make three seconds wait. Its int8 weights come with ranges that are taken over
    whatever is in a pass, hence pieces pass one by one, and each caller gets what `MoonshineRecogniser` gives alone.

    Args:
        slots: recordings side by side.
    """

    model = "moonshine-tiny-en"

    def __init__(self, slots: int = 4):
        from course.moonshine import MoonshineRecogniser

        self.slots, self._recogniser = slots, MoonshineRecogniser()

    def load(self) -> None:
        """Open the model's files and recognise a second of silence.

        Raises:
            CourseError: they are not on this machine. Nothing is fetched: a service that starts asks no network.
        """
        require(self.model, "encoder_model.ort", "decoder_model_merged.ort", "tokenizer.bin")
        self._recogniser.decode(self._recogniser.encode(np.zeros(16_000, np.float32)), 16_000)

    def begin(self, jobs: Sequence[Transcript]) -> list[str]:
        from course.moonshine import at_16_khz, pieces

        for job in jobs:
            job.pieces = pieces(at_16_khz(job.samples, job.sample_rate))
        return self.step(jobs)

    def step(self, jobs: Sequence[Transcript]) -> list[str]:
        return [self._recognise_next(job) for job in jobs]

    def end(self, job: Transcript) -> None:
        """A recording keeps nothing here."""

    def _recognise_next(self, job: Transcript) -> str:
        return self._recogniser.recognise(job.pieces.pop(0), 16_000) if job.pieces else ""


def require(model: str, *files: str) -> None:
    """Raise CourseError, with what to do, unless a registered model's files are on this machine."""
    missing = [file for file in files if MODELS.locate(model, file) is None]
    if missing:
        raise CourseError(
            f"The model {model} is not on this machine ({missing[0]} is missing). Fetch it with "
            f"'course models pull {model}' and start the service again."
        )


def _number(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=6).digest(), "little")
