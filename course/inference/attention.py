"""Attention twice: the whole matrix of scores at once, and tile by tile with an online softmax (Lecture 11).

Shapes: queries ``(..., n_queries, d)``, keys ``(..., n_keys, d)``, values ``(..., n_keys, d_value)``; the dots are
batch and heads. With ``causal=True`` the queries stand at the last ``n_queries`` positions of the keys, as they do
behind a cache: query ``i`` sees the keys up to position ``i + n_keys - n_queries``.

Sources: M. Milakov and N. Gimelshein, Online normalizer calculation for softmax, arXiv 1805.02867, 2018; T. Dao, D. Fu,
S. Ermon, A. Rudra and C. Ré, FlashAttention, NeurIPS 2022, algorithm 1 and theorem 2.
"""

import math
from dataclasses import dataclass

import torch


def naive_attention(queries, keys, values, causal: bool = False) -> torch.Tensor:
    """Softmax of all scores, times the values: ``(..., n_queries, d_value)``, with the whole score matrix in memory.

    Args:
        queries, keys, values: floating-point tensors of one dtype and device, shapes as above.
        causal: whether a query sees only the keys at its own position and before.

    Raises:
        TypeError, ValueError: what came is not three matching tensors, or there is no key to attend to.
    """
    _check(queries, keys, values, causal)
    scores = queries @ keys.transpose(-1, -2) / math.sqrt(queries.shape[-1])
    if causal:
        rows, columns = range(queries.shape[-2]), range(keys.shape[-2])
        scores = scores.masked_fill(~_visible(rows, columns, queries, keys), -math.inf)
    return scores.softmax(dim=-1) @ values


def tiled_attention(queries, keys, values, causal: bool = False, query_tile: int = 64, key_tile: int = 64):
    """The same result with ``query_tile * key_tile`` scores in memory at a time.

    Args:
        queries, keys, values, causal: as for :func:`naive_attention`.
        query_tile, key_tile: rows of queries and of keys in a tile, 1 or more; the last tile may be smaller.

    Returns:
        ``(..., n_queries, d_value)``, equal to :func:`naive_attention` up to rounding.

    Raises:
        TypeError, ValueError: as there, or a tile of no rows.
    """
    _check(queries, keys, values, causal)
    for name, size in (("query_tile", query_tile), ("key_tile", key_tile)):
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise ValueError(f"{name} has to be a whole number of rows, 1 or more; {size!r} is not. Try 64.")
    output = values.new_empty(*queries.shape[:-1], values.shape[-1])
    for rows in _tiles(queries.shape[-2], query_tile):
        output[..., rows.start : rows.stop, :] = _rows_of_attention(queries, keys, values, causal, rows, key_tile)
    return output


def _rows_of_attention(queries, keys, values, causal, rows: range, key_tile: int) -> torch.Tensor:
    """The output of one tile of queries: one pass over the tiles of keys, folded into a running softmax."""
    scaled = queries[..., rows.start : rows.stop, :] / math.sqrt(queries.shape[-1])
    state = Softmax.empty(scaled, values.shape[-1])
    for columns in _tiles(keys.shape[-2], key_tile):
        if causal and columns.start > rows[-1] + keys.shape[-2] - queries.shape[-2]:
            break  # every key from here on lies in the future of every query of the tile
        scores = scaled @ keys[..., columns.start : columns.stop, :].transpose(-1, -2)
        if causal:
            scores = scores.masked_fill(~_visible(rows, columns, queries, keys), -math.inf)
        state = state.fold(scores, values[..., columns.start : columns.stop, :])
    return state.output


@dataclass(frozen=True)
class Softmax:
    """A softmax-weighted sum over the keys seen so far, which can take more keys.

    Attributes:
        maximum: ``(..., rows, 1)`` largest score so far.
        total: ``(..., rows, 1)`` sum of ``exp(score - maximum)``.
        weighted: ``(..., rows, d_value)`` sum of ``exp(score - maximum) * value``.
    """

    maximum: torch.Tensor
    total: torch.Tensor
    weighted: torch.Tensor

    @classmethod
    def empty(cls, rows: torch.Tensor, d_value: int) -> "Softmax":
        """Nothing seen yet, for each row of ``rows``: ``(..., rows, anything)``."""
        column = rows.new_zeros(*rows.shape[:-1], 1)
        return cls(torch.full_like(column, -math.inf), column, rows.new_zeros(*rows.shape[:-1], d_value))

    def fold(self, scores: torch.Tensor, values: torch.Tensor) -> "Softmax":
        """Take in more keys; the first fold has to show each row a key that it sees.

        Args:
            scores: ``(..., rows, n)``, minus infinity where a key is hidden.
            values: ``(..., n, d_value)``.
        """
        maximum = torch.maximum(self.maximum, scores.amax(dim=-1, keepdim=True))
        shrink = torch.exp(self.maximum - maximum)  # what was summed under the old maximum, under the new one
        weights = torch.exp(scores - maximum)
        total = self.total * shrink + weights.sum(dim=-1, keepdim=True)
        return Softmax(maximum, total, self.weighted * shrink + weights @ values)

    @property
    def output(self) -> torch.Tensor:
        """``(..., rows, d_value)``: the weighted mean of the values seen so far."""
        return self.weighted / self.total


@dataclass(frozen=True)
class AttentionMemory:
    """What one call of attention holds and moves.

    Attributes:
        held: bytes of scores that exist at once, beside inputs and output.
        moved: bytes that cross between the large memory and the processor, if a tile of scores stays inside.
    """

    held: int
    moved: int


def naive_memory(n_queries: int, n_keys: int, d: int, n_heads: int = 1, bytes_per_value: int = 4) -> AttentionMemory:
    """Of :func:`naive_attention`: scores are written, read and written by the softmax, and read again.

    Args:
        n_queries, n_keys, d: the shapes of one head; values as wide as keys.
        n_heads: heads times batch.
        bytes_per_value: 4 for float32, 2 for bfloat16.
    """
    scores = n_queries * n_keys * n_heads * bytes_per_value
    return AttentionMemory(scores, 4 * scores + _inputs_and_output(n_queries, n_keys, d, n_heads, bytes_per_value))


def tiled_memory(
    n_queries: int, n_keys: int, d: int, n_heads: int = 1, bytes_per_value: int = 4, query_tile=64, key_tile=64
) -> AttentionMemory:
    """Of :func:`tiled_attention`, not causal: one tile of scores a head; keys and values are read for each query tile.

    The arguments are those of :func:`naive_memory` and the tile sizes.
    """
    held = min(query_tile, n_queries) * min(key_tile, n_keys) * n_heads * bytes_per_value
    passes = math.ceil(n_queries / query_tile)
    again = (passes - 1) * 2 * n_keys * d * n_heads * bytes_per_value
    return AttentionMemory(held, again + _inputs_and_output(n_queries, n_keys, d, n_heads, bytes_per_value))


def _inputs_and_output(n_queries, n_keys, d, n_heads, bytes_per_value) -> int:
    return (2 * n_queries + 2 * n_keys) * d * n_heads * bytes_per_value


def _tiles(n: int, size: int) -> list[range]:
    return [range(start, min(start + size, n)) for start in range(0, n, size)]


def _visible(rows: range, columns: range, queries: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
    """``(rows, columns)``: which key lies at or before the position of which query."""
    offset = keys.shape[-2] - queries.shape[-2]
    positions = torch.arange(rows.start, rows.stop, device=queries.device)[:, None] + offset
    return positions >= torch.arange(columns.start, columns.stop, device=queries.device)


def what_came(value) -> str:
    """What came, for a message: dtype and shape of a tensor, else the type."""
    return f"{value.dtype} {tuple(value.shape)}" if isinstance(value, torch.Tensor) else type(value).__name__


def _check(queries, keys, values, causal: bool) -> None:
    tensors = {"queries": queries, "keys": keys, "values": values}
    for name, tensor in tensors.items():
        if not isinstance(tensor, torch.Tensor) or not tensor.is_floating_point() or tensor.ndim < 2:
            raise TypeError(f"{name} have to be a floating-point tensor (..., n, d); {what_came(tensor)} came.")
    shapes = ", ".join(f"{name} {tuple(tensor.shape)}" for name, tensor in tensors.items())
    if queries.shape[-1] != keys.shape[-1] or keys.shape[:-1] != values.shape[:-1] or queries.shape[-1] == 0:
        raise ValueError(f"queries and keys have to be equally wide, keys and values equally many; {shapes} came.")
    if queries.shape[:-2] != keys.shape[:-2]:
        raise ValueError(f"Batch and heads have to agree; {shapes} came. Repeat the keys of grouped heads first.")
    if len({(tensor.dtype, tensor.device) for tensor in tensors.values()}) > 1:
        raise ValueError("queries, keys and values have to be of one dtype and on one device.")
    if keys.shape[-2] == 0:
        raise ValueError(f"There is no key to attend to: {shapes}.")
    if causal and queries.shape[-2] > keys.shape[-2]:
        raise ValueError(f"With causal=True there have to be as many keys as queries, or more; {shapes} came.")
