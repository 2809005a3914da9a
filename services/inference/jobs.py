"""What callers wait for: an answer, token by token, and a transcript, piece by piece."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import numpy as np

from services.inference.running import Job

TORN = "\ufffd"  # what a tokenizer writes for bytes that are no letter yet


@dataclass(frozen=True)
class Sampling:
    """How a token is chosen: temperature 0 takes the likeliest; the same seed draws the same tokens."""

    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0


class Reply(Job):
    """An answer of the language model. Its caller hears pieces of text.

    Args:
        prompt: tokens.
        limit: most tokens of the answer.
        sampling: how each is chosen.
        end_tokens: tokens that end an answer.
        decode: from tokens to text.
        stop: texts that end an answer; they are not part of it.

    Attributes:
        tokens: of the answer so far.
        finish_reason: "stop" or "length", once it is finished.
    """

    def __init__(
        self,
        arrived: float,
        due: float,
        prompt: Sequence[int],
        limit: int,
        sampling: Sampling,
        end_tokens: Collection[int],
        decode: Callable[[Sequence[int]], str],
        stop: Sequence[str] = (),
    ):
        super().__init__(arrived, due)
        self.prompt, self.limit, self.sampling = list(prompt), limit, sampling
        self.tokens: list[int] = []
        self.finish_reason: str | None = None
        self._end_tokens, self._text = frozenset(end_tokens), Text(decode, tuple(stop))

    def add(self, part: int) -> None:
        """Take in the next token."""
        if part in self._end_tokens:
            self._finish("stop", self._text.rest())
            return
        self.tokens.append(part)
        piece, stopped = self._text.add(part)
        if stopped:
            self._finish("stop", piece)
        elif len(self.tokens) == self.limit:
            self._finish("length", piece + self._text.rest())
        elif piece:
            self.news.put_nowait(piece)

    def _finish(self, reason: str, piece: str) -> None:
        self.finish_reason, self.finished = reason, True
        self.news.put_nowait(piece)


@dataclass
class Text:
    """Tokens in, text out, as early as it is sure: no half letter, and nothing that may yet turn out to be a stop text.

    Args:
        decode: from tokens to text; text of two lists of tokens is the texts of each, one behind the other.
        stop: texts that end it.
    """

    decode: Callable[[Sequence[int]], str]
    stop: tuple[str, ...] = ()
    _tokens: list[int] = field(default_factory=list)
    _held: str = ""

    def add(self, token: int) -> tuple[str, bool]:
        """What can be said now, and whether a stop text ended it."""
        self._tokens.append(token)
        fresh = self.decode(self._tokens)
        if fresh.endswith(TORN):
            return "", False
        self._tokens.clear()
        self._held += fresh
        return self._say()

    def rest(self) -> str:
        """What was held back; the end of the text has come."""
        said, self._held = self._held + self.decode(self._tokens), ""
        self._tokens.clear()
        return said

    def _say(self) -> tuple[str, bool]:
        ends = [place for text in self.stop if (place := self._held.find(text)) >= 0]
        if ends:
            said, self._held = self._held[: min(ends)], ""
            return said, True
        keep = max((_overlap(self._held, text) for text in self.stop), default=0)
        sure = len(self._held) - keep
        said, self._held = self._held[:sure], self._held[sure:]
        return said, False


def _overlap(text: str, stop: str) -> int:
    """How many letters at the end of a text may be the beginning of a stop text."""
    return max((n for n in range(1, min(len(text), len(stop) - 1) + 1) if text.endswith(stop[:n])), default=0)


class Transcript(Job):
    """What was said in a recording. Its caller hears the text of one piece after the other.

    Args:
        samples: ``(n_samples,)`` float32.
        sample_rate: Hz.

    Attributes:
        pieces: of the recording, still to be recognised; None before the engine has cut it.
    """

    def __init__(self, arrived: float, due: float, samples: np.ndarray, sample_rate: int):
        super().__init__(arrived, due)
        self.samples, self.sample_rate = samples, sample_rate
        self.pieces: list[np.ndarray] | None = None

    def add(self, part: str) -> None:
        """Take in the text of the next piece."""
        self.finished = not self.pieces
        self.news.put_nowait(part)
