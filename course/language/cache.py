"""Keys and values of the tokens that a model has read, so that no token is read twice (Lecture 7; Lecture 11).

Two caches with one protocol. `GrowingCache` appends, which is the idea and costs a copy a token. `StaticCache` has all
its memory from the start and writes in place: every step has the same shapes at the same addresses, which is what
compilers and CUDA graphs need.
"""

from typing import Protocol

import torch

from course.language.attention import Offset


class Cache(Protocol):
    """What a model asks of a cache.

    Attributes:
        length: tokens in it.
        offset: the same as attention wants it, a number or a tensor; fixed while the layers of a step are written.
        nbytes: bytes of memory that its keys and values hold.
    """

    length: int
    offset: Offset
    nbytes: int

    def update(self, layer: int, keys: torch.Tensor, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Add the keys and values of new tokens, ``(batch, n_kv_heads, n, head_dim)``, and return all of that layer."""

    def require_room(self, batch: int, n: int) -> None:
        """Raise ValueError unless n more tokens of so many rows fit."""

    def truncate(self, length: int) -> None:
        """Forget all tokens but the first ``length``."""

    def reset(self) -> None:
        """Forget all tokens."""


class GrowingCache:
    """A cache that concatenates: its tensors are as long as the text.

    ``update`` returns ``(batch, n_kv_heads, length, head_dim)``. The length grows with the first layer's update.
    """

    def __init__(self):
        self.keys: list[torch.Tensor] = []  # one a layer: (batch, n_kv_heads, length, head_dim)
        self.values: list[torch.Tensor] = []

    @property
    def length(self) -> int:
        return self.keys[0].shape[-2] if self.keys else 0

    @property
    def offset(self) -> int:
        return self.length

    @property
    def nbytes(self) -> int:
        return sum(tensor.nbytes for tensor in self.keys + self.values)

    def update(self, layer: int, keys: torch.Tensor, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """See :class:`Cache`.

        Raises:
            ValueError: a layer was left out, or another batch, number of heads, width or dtype than before.
        """
        if layer > len(self.keys):
            raise ValueError(
                f"Layer {len(self.keys)} was expected next and layer {layer} came. Update layers in order."
            )
        if layer == len(self.keys):
            self.keys.append(keys)
            self.values.append(values)
        else:
            _check_alike(self.keys[layer], keys, values)
            self.keys[layer] = torch.cat([self.keys[layer], keys], dim=-2)
            self.values[layer] = torch.cat([self.values[layer], values], dim=-2)
        return self.keys[layer], self.values[layer]

    def require_room(self, batch: int, n: int) -> None:
        """There is always room, but only for the batch that the cache has begun with."""
        if self.keys and self.keys[0].shape[0] != batch:
            raise ValueError(f"The cache holds {self.keys[0].shape[0]} rows and {batch} came. Use a cache of its own.")

    def truncate(self, length: int) -> None:
        """See :class:`Cache`.

        Raises:
            ValueError: a length below 0 or above the cache's.
        """
        _check_length(length, self.length)
        self.keys = [keys[..., :length, :] for keys in self.keys]
        self.values = [values[..., :length, :] for values in self.values]

    def reset(self) -> None:
        self.keys, self.values = [], []

    def select(self, rows: torch.Tensor) -> None:
        """Keep these rows of the batch, in this order; a row may come several times, to be continued in several ways.

        Args:
            rows: ``(new_batch,)`` int64 numbers of rows.
        """
        self.keys = [keys[rows] for keys in self.keys]
        self.values = [values[rows] for values in self.values]


class StaticCache:
    """A cache of fixed size, written in place.

    ``update`` returns all places, ``(batch, n_kv_heads, capacity, head_dim)``, also those not written yet: attention
    hides them, because their positions lie ahead of every query. The length grows with the last layer's update, on the
    device and without the host.

    Args:
        config: of the model (:class:`course.language.model.LlamaConfig`).
        batch: rows.
        length: tokens that fit, prompt and answer together; kept as :attr:`capacity`.
        dtype, device: of the model.

    Raises:
        ValueError: a batch or a length below 1.
    """

    def __init__(self, config, batch: int, length: int, dtype=torch.float32, device: torch.device | str = "cpu"):
        if batch < 1 or length < 1:
            raise ValueError(f"At least one row and one token were expected; {batch} rows and {length} tokens came.")
        self.batch, self.capacity = batch, length
        shape, place = (batch, config.n_kv_heads, length, config.head_dim), {"dtype": dtype, "device": device}
        self.keys = [torch.zeros(shape, **place) for _ in range(config.n_layers)]
        self.values = [torch.zeros(shape, **place) for _ in range(config.n_layers)]
        self.written = torch.zeros((), dtype=torch.int64, device=device)

    @property
    def length(self) -> int:
        """Tokens in it; waits for the device."""
        return int(self.written)

    @property
    def offset(self) -> torch.Tensor:
        """Tokens in it, as a copy on the device, which stays as it is while the layers are written."""
        return self.written.clone()

    @property
    def nbytes(self) -> int:
        return sum(tensor.nbytes for tensor in self.keys + self.values)

    def update(self, layer: int, keys: torch.Tensor, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """See :class:`Cache`. Whether there is room is not asked here but in :meth:`require_room`.

        Raises:
            ValueError: another batch, number of heads, width or dtype than the cache's.
        """
        _check_alike(self.keys[layer], keys, values)
        places = self.written + torch.arange(keys.shape[-2], device=keys.device)
        self.keys[layer].index_copy_(-2, places, keys)
        self.values[layer].index_copy_(-2, places, values)
        if layer == len(self.keys) - 1:
            self.written += keys.shape[-2]
        return self.keys[layer], self.values[layer]

    def require_room(self, batch: int, n: int) -> None:
        """See :class:`Cache`; waits for the device."""
        if batch != self.batch:
            raise ValueError(f"The cache has {self.batch} rows and {batch} came. Make one with batch={batch}.")
        if self.length + n > self.capacity:
            raise ValueError(
                f"The cache has {self.capacity} places, {self.length} of them taken; {n} more tokens do not fit. "
                "Make a longer one, or truncate it."
            )

    def truncate(self, length: int) -> None:
        """See :class:`Cache`.

        Raises:
            ValueError: a length below 0 or above the cache's.
        """
        _check_length(length, self.length)
        self.written.fill_(length)

    def reset(self) -> None:
        self.written.zero_()
        for tensor in self.keys + self.values:
            tensor.zero_()


def _check_alike(held: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> None:
    """Raise ValueError unless new keys and values differ from what is held in their number of tokens at most."""
    batch, heads, _, width = held.shape
    wanted = (batch, heads, keys.shape[-2], width)
    if keys.shape != wanted or values.shape != wanted or not held.dtype == keys.dtype == values.dtype:
        raise ValueError(
            f"Keys and values of shape ({batch}, {heads}, n, {width}) and {held.dtype} were expected; "
            f"{tuple(keys.shape)} {keys.dtype} and {tuple(values.shape)} {values.dtype} came."
        )


def _check_length(length: int, held: int) -> None:
    if not 0 <= length <= held:
        raise ValueError(f"A length from 0 to {held}, which is what the cache holds, was expected and {length} came.")
