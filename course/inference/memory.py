"""How much memory a model needs, counted before anything is loaded, and how much there is (Lecture 11)."""

from dataclasses import dataclass

import psutil
import torch

from course.errors import CourseError
from course.language.model import LlamaConfig

BYTES_PER_VALUE = {"float32": 4, "bfloat16": 2, "float16": 2, "int8": 1, "int4": 0.5}
LOGIT_BYTES = 4


@dataclass(frozen=True)
class Memory:
    """Bytes by what they hold.

    Attributes:
        weights: all parameters, once for each copy that is held while loading.
        cache: keys and values of all layers at full length.
        logits: one row for each sequence, in float32.
    """

    weights: int
    cache: int
    logits: int

    @property
    def total(self) -> int:
        """All of it; activations, a few times hidden size a token, are not counted."""
        return self.weights + self.cache + self.logits


def memory_needed(config: LlamaConfig, batch: int, length: int, dtype: str = "float32", copies: int = 1) -> Memory:
    """What a model holds when its cache is full.

    Args:
        config: the shape.
        batch, length: sequences, and positions of each.
        dtype: "float32", "bfloat16", "float16", or of the weights alone "int8", "int4" (the cache is bfloat16 then).
        copies: how often the weights exist at once while the model loads.

    Raises:
        CourseError: an unknown dtype, or a batch, a length or copies below 1.
    """
    for name, value in (("batch", batch), ("length", length), ("copies", copies)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise CourseError(f"{name} has to be a whole number, 1 or more; {value!r} is not.")
    of_weight = bytes_per_value(dtype)
    return Memory(
        weights=int(copies * config.n_parameters * of_weight),
        cache=config.cache_bytes(length, batch=batch, bytes_per_value=max(int(of_weight), 2)),
        logits=batch * config.vocab_size * LOGIT_BYTES,
    )


def bytes_per_value(dtype: str) -> float:
    """Bytes of one number: 4 for "float32", half a byte for "int4".

    Raises:
        CourseError: an unknown dtype.
    """
    if dtype not in BYTES_PER_VALUE:
        raise CourseError(f"dtype has to be one of {', '.join(BYTES_PER_VALUE)}; {dtype!r} is not.")
    return BYTES_PER_VALUE[dtype]


def memory_free(device: str) -> int:
    """Bytes that a process can still get on a device: of the machine's memory, or of the GPU's."""
    if device.startswith("cuda"):
        return torch.cuda.mem_get_info(torch.device(device))[0]
    return psutil.virtual_memory().available


def require_memory(needed: Memory, free: int, what: str) -> None:
    """Raise a sentence with the bytes if they are not there.

    Raises:
        CourseError: fewer bytes are free than needed.
    """
    if needed.total > free:
        raise CourseError(
            f"{what} needs {needed.total:,} bytes ({needed.weights:,} of weights, {needed.cache:,} of cache, "
            f"{needed.logits:,} of logits), and {free:,} are free. Take a smaller model, batch, length or dtype."
        )
