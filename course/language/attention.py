"""Attention, from one query to all heads, and the rotation that tells it where a token stands (Lecture 7).

Sources: A. Vaswani et al., Attention Is All You Need, 2017, section 3.2; J. Su et al., RoFormer: Enhanced Transformer
with Rotary Position Embedding, 2021, section 3.2; J. Ainslie et al., GQA: Training Generalized Multi-Query Transformer
Models from Multi-Head Checkpoints, 2023 (heads that share keys and values).
"""

import math

import torch

Offset = int | torch.Tensor  # how many tokens stand before the first query; a tensor of no dimensions where that varies


def attend_one(query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """What one token reads: the average of the values, weighted by how well each key fits the query.

    Args:
        query: ``(d,)``.
        keys: ``(n, d)``, of the tokens that the query may see.
        values: ``(n, d_value)``.

    Returns:
        ``(d_value,)``.

    Raises:
        ValueError: shapes that do not fit each other, or no keys.
    """
    if query.dim() != 1:
        raise ValueError(f"One query of shape (d,) was expected and {tuple(query.shape)} came. Use attend for several.")
    _check_shapes(query.unsqueeze(0), keys, values)
    scores = keys @ query / math.sqrt(query.shape[0])
    weights = torch.exp(scores - scores.max())
    return (weights / weights.sum()) @ values


def attend(queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, offset: Offset = 0) -> torch.Tensor:
    """What each of several tokens reads from itself and from the tokens before it.

    Args:
        queries: ``(..., n, d)``.
        keys: ``(..., m, d)``; the first stands at position 0.
        values: ``(..., m, d_value)``.
        offset: position of the first query: query i sees the keys 0 to offset + i.

    Returns:
        ``(..., n, d_value)``.

    Raises:
        ValueError: shapes that do not fit each other, no keys, or a negative offset.
    """
    _check_shapes(queries, keys, values)
    return attention_weights(queries, keys, offset) @ values


def attend_grouped(queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, offset: Offset = 0) -> torch.Tensor:
    """:func:`attend` where several heads of queries share one head of keys and values (Ainslie et al. 2023).

    Args:
        queries: ``(batch, n_heads, n, d)``.
        keys, values: ``(batch, n_kv_heads, m, d)``.
        offset: see :func:`attend`.

    Returns:
        ``(batch, n_heads, n, d)``.

    Raises:
        ValueError: ``n_kv_heads`` does not divide ``n_heads``, or as :func:`attend`.
    """
    n_heads, n_kv_heads = queries.shape[-3], keys.shape[-3]
    if n_heads % n_kv_heads:
        raise ValueError(f"{n_heads} heads of queries cannot share {n_kv_heads} heads of keys: it must be a divisor.")
    groups = n_heads // n_kv_heads
    return attend(queries, repeat_kv(keys, groups), repeat_kv(values, groups), offset)


def attention_weights(queries: torch.Tensor, keys: torch.Tensor, offset: Offset = 0) -> torch.Tensor:
    """Softmax of the scaled products of queries and keys, with what lies ahead hidden (Vaswani et al. 2017, eq. 1).

    Args:
        queries: ``(..., n, d)``.
        keys: ``(..., m, d)``.
        offset: position of the first query.

    Returns:
        ``(..., n, m)``, each row a distribution over the keys. Computed in float32, returned in the queries' dtype.

    Raises:
        ValueError: another width of queries than of keys, no keys, or a negative offset.
    """
    _check_shapes(queries, keys, keys)
    scores = queries @ keys.transpose(-2, -1) / math.sqrt(queries.shape[-1])
    hidden = ~visible(queries.shape[-2], keys.shape[-2], offset, queries.device)
    return scores.masked_fill(hidden, -torch.inf).softmax(-1, dtype=torch.float32).to(queries.dtype)


def visible(n: int, m: int, offset: Offset = 0, device: torch.device | str = "cpu") -> torch.Tensor:
    """Which keys each query may see: ``(n, m)`` bool, true where key ``j`` stands at or before query ``offset + i``.

    Raises:
        ValueError: a negative offset, which would leave the first query nothing to see.
    """
    if isinstance(offset, int) and offset < 0:
        raise ValueError(f"An offset of 0 or more tokens was expected and {offset} came.")
    return torch.arange(m, device=device) <= (torch.arange(n, device=device) + offset).unsqueeze(1)


def rotate(x: torch.Tensor, positions: torch.Tensor, theta: float = 10000.0) -> torch.Tensor:
    """Turn each pair of components by an angle that grows with the position (rotary embedding, Su et al. 2021).

    The product of a rotated query and a rotated key then depends on how far apart they stand and not on where. A pair
    is component i and component i + d / 2, as published LLaMA weights in transformers have it; the paper pairs
    neighbours, which is the same with the components in another order.

    Args:
        x: ``(..., n, d)``, queries or keys of one or more heads.
        positions: ``(n,)`` integers.
        theta: base of the wavelengths, which go from 2 pi to 2 pi * theta tokens.

    Returns:
        ``(..., n, d)``; lengths stay as they are.

    Raises:
        ValueError: an odd ``d``, theta of 0 or less, or another number of positions than of vectors.
    """
    if positions.shape != x.shape[-2:-1]:
        raise ValueError(f"{x.shape[-2]} positions were expected, one a vector, and {tuple(positions.shape)} came.")
    return turn(x, *rotary_angles(positions, x.shape[-1], theta, x.dtype))


def rotary_angles(
    positions: torch.Tensor, d: int, theta: float = 10000.0, dtype: torch.dtype = torch.float32
) -> tuple[torch.Tensor, torch.Tensor]:
    """Cosines and sines of the angles that :func:`rotate` turns by, for all heads and layers alike.

    Args:
        positions: ``(n,)`` integers.
        d: components of a head's vectors, even.
        theta: see :func:`rotate`.
        dtype: of the result; angles are computed in float32, because bfloat16 cannot tell position 256 from 257.

    Returns:
        Two of ``(n, d / 2)``: pair i of position p has the angle ``p * theta ** (-2 i / d)``.
    """
    if d % 2 or d < 2 or not theta > 0:
        raise ValueError(f"An even width and a theta above 0 were expected; width {d} and theta {theta} came.")
    exponents = torch.arange(0, d, 2, device=positions.device, dtype=torch.float32) / d
    angles = positions.float().unsqueeze(1) * (1.0 / theta**exponents)
    return angles.cos().to(dtype), angles.sin().to(dtype)


def turn(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Turn the pairs of ``x``, ``(..., n, d)``, by angles whose cosines and sines are ``(n, d / 2)``."""
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)


def split_heads(x: torch.Tensor, n_heads: int) -> torch.Tensor:
    """``(..., n, n_heads * d)`` to ``(..., n_heads, n, d)``: each head gets its own stretch of every vector.

    Raises:
        ValueError: a width that ``n_heads`` does not divide.
    """
    if n_heads < 1 or x.shape[-1] % n_heads:
        raise ValueError(f"Vectors of width {x.shape[-1]} cannot be split into {n_heads} heads of equal width.")
    return x.unflatten(-1, (n_heads, -1)).transpose(-3, -2)


def join_heads(x: torch.Tensor) -> torch.Tensor:
    """``(..., n_heads, n, d)`` to ``(..., n, n_heads * d)``: undoes :func:`split_heads`."""
    return x.transpose(-3, -2).flatten(-2)


def repeat_kv(x: torch.Tensor, groups: int) -> torch.Tensor:
    """``(..., n_kv_heads, m, d)`` to ``(..., n_kv_heads * groups, m, d)``: head h becomes heads h * groups and on."""
    return x if groups == 1 else x.repeat_interleave(groups, dim=-3)


def _check_shapes(queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> None:
    fit = queries.dim() > 1 and keys.dim() > 1 and values.dim() > 1 and queries.shape[-1] == keys.shape[-1] > 0
    if not fit or keys.shape[-2] != values.shape[-2] or keys.shape[-2] == 0:
        raise ValueError(
            "Queries (..., n, d), keys (..., m, d) and values (..., m, d_value) with at least one key were expected; "
            f"{tuple(queries.shape)}, {tuple(keys.shape)} and {tuple(values.shape)} came."
        )
