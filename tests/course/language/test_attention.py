"""Attention and rotary positions against loops, complex numbers and PyTorch's own; and what they do with bad input."""

import math

import numpy as np
import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from course.language import attention as module
from course.language.attention import (
    attend,
    attend_grouped,
    attend_one,
    attention_weights,
    join_heads,
    repeat_kv,
    rotate,
    split_heads,
    visible,
)


def normal(*shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def by_hand(queries, keys, values, offset):
    """Attention of one head as a double loop over numbers."""
    out = np.zeros((len(queries), values.shape[1]))
    for i, query in enumerate(queries):
        seen = range(min(len(keys), offset + i + 1))
        scores = [
            math.exp(sum(a * b for a, b in zip(query, keys[j], strict=True)) / math.sqrt(len(query))) for j in seen
        ]
        for j, score in zip(seen, scores, strict=True):
            out[i] += score / sum(scores) * np.asarray(values[j])
    return out


@pytest.mark.parametrize("n, m, offset", [(1, 1, 0), (5, 5, 0), (1, 7, 6), (3, 8, 5), (4, 9, 2)])
def test_attend_is_the_double_loop(n, m, offset):
    queries, keys, values = normal(n, 6), normal(m, 6, seed=1), normal(m, 4, seed=2)
    expected = by_hand(queries.tolist(), keys.tolist(), values.numpy(), offset)
    assert np.allclose(attend(queries, keys, values, offset), expected, atol=1e-6)
    assert np.allclose(attend(queries, keys, values, torch.tensor(offset)), expected, atol=1e-6)


def test_attend_one_is_the_last_row_of_attend():
    queries, keys, values = normal(5, 8), normal(5, 8, seed=1), normal(5, 3, seed=2)
    assert torch.allclose(attend_one(queries[-1], keys, values), attend(queries, keys, values)[-1], atol=1e-6)


def test_attend_one_does_not_overflow():
    keys, values = torch.tensor([[1000.0, 0], [0, 1000.0]]), torch.tensor([[1.0], [2.0]])
    assert attend_one(torch.tensor([100.0, 0]), keys, values).item() == 1.0


@pytest.mark.parametrize("n_heads, n_kv_heads", [(4, 4), (6, 2), (3, 1)])
def test_grouped_attention_is_pytorchs(n_heads, n_kv_heads):
    queries, keys, values = (
        normal(2, heads, 9, 8, seed=s, dtype=torch.float32) for s, heads in enumerate((n_heads, n_kv_heads, n_kv_heads))
    )
    expected = scaled_dot_product_attention(queries, keys, values, is_causal=True, enable_gqa=True)
    assert torch.allclose(attend_grouped(queries, keys, values), expected, atol=1e-6)


def test_weights_are_distributions_over_the_past():
    weights = attention_weights(normal(2, 5, 8), normal(2, 7, 8, seed=1), offset=2)
    assert torch.allclose(weights.sum(-1), torch.ones(2, 5, dtype=torch.float64))
    assert (weights[:, ~visible(5, 7, 2)] == 0).all() and (weights[:, visible(5, 7, 2)] > 0).all()


def test_weights_of_bfloat16_are_computed_in_float32():
    queries, keys = normal(4, 8, dtype=torch.bfloat16), normal(4, 8, seed=1, dtype=torch.bfloat16)
    weights = attention_weights(queries, keys)
    assert weights.dtype == torch.bfloat16
    assert torch.allclose(weights.float(), attention_weights(queries.float(), keys.float()), atol=0.02)


def test_rotation_is_a_product_of_complex_numbers():
    x, positions, theta = normal(3, 5, 8), torch.tensor([0, 1, 2, 7, 400]), 500.0
    pairs = torch.complex(x[..., :4], x[..., 4:])
    angles = positions.double()[:, None] * theta ** (-torch.arange(4, dtype=torch.float64) / 4)
    turned = pairs * torch.polar(torch.ones_like(angles), angles)
    expected = torch.cat([turned.real, turned.imag], -1)
    assert torch.allclose(rotate(x, positions, theta), expected, atol=1e-4)


def test_rotated_products_depend_on_the_distance_alone():
    query, key = normal(1, 16), normal(1, 16, seed=1)
    at = [(rotate(query, torch.tensor([p])) @ rotate(key, torch.tensor([p - 3])).T).item() for p in (3, 50, 900)]
    assert np.allclose(at, at[0], atol=1e-3)
    assert abs(at[0] - (query @ key.T).item()) > 0.01


def test_rotation_keeps_lengths_and_position_0():
    x = normal(4, 16)
    assert torch.allclose(rotate(x, torch.arange(4) * 37).norm(dim=-1), x.norm(dim=-1), atol=1e-6)
    assert torch.equal(rotate(x, torch.zeros(4, dtype=torch.int64)), x)


def test_bfloat16_tells_neighbours_apart_far_into_a_text():
    cos, _ = module.rotary_angles(torch.tensor([256, 257]), 8, dtype=torch.bfloat16)
    assert cos[0, 0] != cos[1, 0]


def test_heads_split_and_join():
    x = normal(2, 5, 12)
    heads = split_heads(x, 3)
    assert heads.shape == (2, 3, 5, 4) and torch.equal(join_heads(heads), x)
    assert torch.equal(heads[1, 2, 3], x[1, 3, 8:12])


def test_repeated_heads_stand_beside_each_other():
    x = normal(1, 2, 3, 4)
    assert torch.equal(repeat_kv(x, 3)[:, [0, 1, 2]], x[:, [0, 0, 0]])
    assert torch.equal(repeat_kv(x, 3)[:, [3, 4, 5]], x[:, [1, 1, 1]])


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: attend(normal(2, 4), normal(2, 5), normal(2, 5)), "came"),
        (lambda: attend(normal(2, 4), normal(3, 4), normal(2, 4)), "came"),
        (lambda: attend(normal(2, 4), normal(0, 4), normal(0, 4)), "at least one key"),
        (lambda: attend(normal(2, 4), normal(2, 4), normal(2, 4), offset=-1), "offset"),
        (lambda: attend(normal(4), normal(2, 4), normal(2, 4)), "came"),
        (lambda: attend_one(normal(2, 4), normal(2, 4), normal(2, 4)), "One query"),
        (lambda: attend_grouped(normal(1, 4, 2, 8), normal(1, 3, 2, 8), normal(1, 3, 2, 8)), "divisor"),
        (lambda: rotate(normal(3, 5), torch.arange(3)), "even width"),
        (lambda: rotate(normal(3, 4), torch.arange(2)), "3 positions"),
        (lambda: rotate(normal(3, 4), torch.arange(3), theta=0), "theta"),
        (lambda: split_heads(normal(2, 10), 4), "equal width"),
        (lambda: split_heads(normal(2, 10), 0), "equal width"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
