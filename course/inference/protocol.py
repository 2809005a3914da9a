"""What every way of running a language model offers, so that one harness can measure them all (Lecture 11).

A `Backend` holds one model, on one device, for one batch size. `Backend.prefill` reads a prompt and `Backend.decode`
one token more for each sequence; both return the logits of the next token on the backend's own device, and neither
waits for the device: whoever takes the time synchronises. What cannot run here says so in an `Unavailable` before it
loads anything.
"""

import abc
from dataclasses import dataclass

import torch

from course.errors import CourseError
from course.inference.attention import what_came
from course.inference.limits import LIMITS
from course.language.model import CONFIGS, LlamaConfig

MODELS = {"smollm2": "smollm2-135m", "tiny": "tiny", "llama-1b": "llama-1b", "llama-8b": "llama-8b"}
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
DEVICES = ("cpu", "cuda")


class Unavailable(CourseError):
    """A backend that cannot run here, with the reason."""


@dataclass(frozen=True)
class Setup:
    """What is to run, and with what.

    Attributes:
        model: "smollm2" for the trained SmolLM2-135M-Instruct; else random weights in the shape of `CONFIGS`: "tiny",
            "llama-1b", "llama-8b".
        device: "cpu", or "cuda", or "cuda:1".
        dtype: of weights and cache: "float32", "bfloat16" or "float16".
        batch: sequences that run side by side.
        length: positions that the cache has room for: the prompt and all tokens after it.
        threads: of the CPU; None leaves the libraries' own choice.
        seed: of random weights.
        processes: how many share the model, for the backends that split it.
        port: of the process group on this machine; None takes a free one.
    """

    model: str = "smollm2"
    device: str = "cpu"
    dtype: str = "float32"
    batch: int = 1
    length: int = 512
    threads: int | None = None
    seed: int = 0
    processes: int = 2
    port: int | None = None

    def __post_init__(self):
        _one_of("model", self.model, MODELS)
        _one_of("dtype", self.dtype, DTYPES)
        _one_of("device", self.device.partition(":")[0], DEVICES)
        for name in ("batch", "length", "threads", "processes", "port"):
            value = getattr(self, name)
            if value is None and name in ("threads", "port"):
                continue
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise CourseError(f"{name} has to be a whole number, 1 or more; {value!r} is not.")
        if self.length > self.config.max_positions:
            raise CourseError(
                f"{self.model} has {self.config.max_positions} positions; length={self.length} asks for more."
            )

    @property
    def config(self) -> LlamaConfig:
        """The shape of the model."""
        return CONFIGS[MODELS[self.model]]

    @property
    def torch_dtype(self) -> torch.dtype:
        """The dtype as torch names it."""
        return DTYPES[self.dtype]


class Backend(abc.ABC):
    """One way of running a language model; also a context manager that closes it.

    A subclass gives ``_prefill``, ``_decode``, ``_logits``, ``_reset`` and ``close``; the checks of what comes in are
    here, once.

    Args:
        setup: what to run. Constructing loads; it neither warms up nor compiles, so that the first call is cold.

    Attributes:
        name: as `course.inference.BACKENDS` lists it.
        device: where logits come back.
    """

    name: str = ""

    def __init__(self, setup: Setup):
        self.setup, self.config = setup, setup.config
        self.device = torch.device(setup.device)
        self._cached = 0
        if setup.threads is not None:
            self._use_threads(setup.threads)

    @classmethod
    def missing(cls, setup: Setup) -> str:
        """Why it cannot run here, in one sentence, or nothing; loads no model and imports nothing heavy."""
        return ""

    @property
    def arithmetic(self) -> str:
        """The key of `course.inference.limits.LIMITS` that its logits are held to."""
        return self.setup.dtype

    @property
    def limits(self) -> dict[str, float]:
        """How far its logits may be from the reference's, by the name of the measure."""
        return LIMITS[self.arithmetic].asked()

    @property
    def cached(self) -> int:
        """Positions of each sequence that are in the cache now; 0 after `reset`."""
        return self._cached

    def logit_rows(self, n: int) -> int:
        """How many rows of logits a prefill of ``n`` tokens really computes for each sequence."""
        return 1

    def prefill(self, tokens: torch.Tensor) -> torch.Tensor:
        """Forget what was, read a prompt, and give the logits of the token after it.

        Args:
            tokens: ``(batch, n)`` int64 token numbers, 1 <= n <= length.

        Returns:
            ``(batch, vocab)`` float32 on the backend's device; the device may still be at work.

        Raises:
            TypeError, ValueError: the tokens are not of that kind.
        """
        tokens = self._checked(tokens, 2)
        self.reset()
        with torch.no_grad():
            logits = self._prefill(tokens)
        self._cached = tokens.shape[1]
        return logits

    def decode(self, tokens: torch.Tensor) -> torch.Tensor:
        """Take one token more for each sequence, and give the logits of the token after it.

        Args:
            tokens: ``(batch,)`` int64, on any device.

        Returns:
            ``(batch, vocab)`` float32, as `prefill`.

        Raises:
            TypeError, ValueError: the tokens are not of that kind, nothing was prefilled, or the cache is full.
        """
        tokens = self._checked(tokens, 1)
        if self._cached == 0:
            raise ValueError(f"{self.name}: decode continues a prompt. Call prefill first.")
        with torch.no_grad():
            logits = self._decode(tokens)
        self._cached += 1
        return logits

    def logits(self, tokens: torch.Tensor) -> torch.Tensor:
        """The logits after every position, in one pass, for parity: ``(batch, n, vocab)`` float32; resets the cache.

        The argument and the errors are those of `prefill`.
        """
        tokens = self._checked(tokens, 2)
        self.reset()
        with torch.no_grad():
            logits = self._logits(tokens)
        self.reset()
        return logits

    def reset(self) -> None:
        """Forget all sequences: the cache is empty after it."""
        self._cached = 0
        self._reset()

    @abc.abstractmethod
    def close(self) -> None:
        """Give back memory and end processes; the backend cannot be used after it. A second call does nothing."""

    def __enter__(self) -> "Backend":
        return self

    def __exit__(self, *failure) -> None:
        self.close()

    @abc.abstractmethod
    def _prefill(self, tokens: torch.Tensor) -> torch.Tensor: ...

    @abc.abstractmethod
    def _decode(self, tokens: torch.Tensor) -> torch.Tensor: ...

    @abc.abstractmethod
    def _logits(self, tokens: torch.Tensor) -> torch.Tensor: ...

    @abc.abstractmethod
    def _reset(self) -> None: ...

    def _use_threads(self, threads: int) -> None:
        torch.set_num_threads(threads)

    def _checked(self, tokens: torch.Tensor, dimensions: int) -> torch.Tensor:
        """The tokens on the backend's device; their values are looked at only where that waits for no accelerator."""
        shape = "(batch, n)" if dimensions == 2 else "(batch,)"
        if not isinstance(tokens, torch.Tensor) or tokens.dtype != torch.int64 or tokens.ndim != dimensions:
            raise TypeError(f"{self.name} takes token numbers as an int64 tensor {shape}; {what_came(tokens)} came.")
        if tokens.shape[0] != self.setup.batch:
            raise ValueError(f"{self.name} was made for {self.setup.batch} sequences; {tokens.shape[0]} came.")
        needed = tokens.shape[1] if dimensions == 2 else self._cached + 1
        if not 1 <= needed <= self.setup.length:
            raise ValueError(f"{self.name} has room for 1 to {self.setup.length} positions; {needed} were asked for.")
        if tokens.device.type == "cpu" and not 0 <= int(tokens.min()) <= int(tokens.max()) < self.config.vocab_size:
            raise ValueError(f"Token numbers lie in 0 to {self.config.vocab_size - 1}; {_range(tokens)} came.")
        return tokens.to(self.device)


def generate(backend: Backend, tokens: torch.Tensor, n_new: int) -> torch.Tensor:
    """Prefill, then take the best token ``n_new`` times: ``(batch, n_new)`` int64 on the backend's device."""
    if n_new < 1:
        raise ValueError(f"n_new has to be 1 or more; {n_new} came.")
    best = backend.prefill(tokens).argmax(-1)
    chosen = [best]
    for _ in range(n_new - 1):
        best = backend.decode(best).argmax(-1)
        chosen.append(best)
    return torch.stack(chosen, dim=1)


def teacher_forced(backend: Backend, tokens: torch.Tensor, n_prompt: int) -> torch.Tensor:
    """Logits after the prompt and each further token, through the cache: ``(batch, n - n_prompt + 1, vocab)``.

    Args:
        backend: it is reset before and after.
        tokens: ``(batch, n)``.
        n_prompt: how many of them are prefilled, 1 to n; the rest is decoded one at a time.
    """
    rows = [backend.prefill(tokens[:, :n_prompt]).clone()]
    rows += [backend.decode(tokens[:, place]).clone() for place in range(n_prompt, tokens.shape[1])]
    backend.reset()
    return torch.stack(rows, dim=1)


def no_device(device: str) -> str:
    """Why a device cannot be used, in one sentence, or nothing."""
    if not device.startswith("cuda"):
        return ""
    if not torch.cuda.is_available():
        return "No CUDA device is visible to PyTorch here. Use --device cpu, or a machine with an NVIDIA GPU."
    _, _, number = device.partition(":")
    if number and (not number.isdigit() or int(number) >= torch.cuda.device_count()):
        return f"There is no {device}; PyTorch sees {torch.cuda.device_count()} CUDA devices, counted from 0."
    return ""


def one_sequence(setup: Setup) -> str:
    """Why a backend that continues one sequence at a time cannot serve a setup, or nothing."""
    return "" if setup.batch == 1 else f"It continues one sequence at a time; batch={setup.batch} was asked for."


def _one_of(name: str, value: str, known) -> None:
    if value not in known:
        raise CourseError(f"{name} has to be one of {', '.join(known)}; {value!r} is not.")


def _range(tokens: torch.Tensor) -> str:
    return f"{int(tokens.min())} to {int(tokens.max())}"
