"""Attention, naive and by tiles, against NumPy in float64 and PyTorch's own; and what each holds in memory."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import scaled_dot_product_attention

from course.inference.attention import Softmax, naive_attention, naive_memory, tiled_attention, tiled_memory


def tensors(seed, n_queries, n_keys, d=8, d_value=5, lead=(2, 3), dtype=torch.float32, scale=1.0):
    generator = torch.Generator().manual_seed(seed)
    shapes = ((n_queries, d), (n_keys, d), (n_keys, d_value))
    return [(scale * torch.randn(*lead, *shape, generator=generator)).to(dtype) for shape in shapes]


def oracle(queries, keys, values, causal):
    """In float64 and NumPy, query by query."""
    q, k, v = (tensor.double().numpy() for tensor in (queries, keys, values))
    out = np.zeros((*q.shape[:-1], v.shape[-1]))
    for place in np.ndindex(q.shape[:-1]):
        seen = place[-1] + 1 + k.shape[-2] - q.shape[-2] if causal else k.shape[-2]
        scores = k[place[:-1]][:seen] @ q[place] / math.sqrt(q.shape[-1])
        weights = np.exp(scores - scores.max())
        out[place] = weights @ v[place[:-1]][:seen] / weights.sum()
    return out


@given(
    n_queries=st.integers(1, 20),
    more=st.integers(0, 20),
    query_tile=st.integers(1, 24),
    key_tile=st.integers(1, 24),
    causal=st.booleans(),
    seed=st.integers(0, 99),
)
def test_both_equal_a_float64_oracle_for_any_lengths_and_tiles(n_queries, more, query_tile, key_tile, causal, seed):
    inputs = tensors(seed, n_queries, n_queries + more, dtype=torch.float64)
    wanted = oracle(*inputs, causal)
    np.testing.assert_allclose(naive_attention(*inputs, causal), wanted, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(tiled_attention(*inputs, causal, query_tile, key_tile), wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("causal", [False, True])
def test_both_equal_pytorch_in_float32(causal):
    inputs = tensors(0, 130, 130, d=64, d_value=64)
    wanted = scaled_dot_product_attention(*inputs, is_causal=causal)
    for found in (naive_attention(*inputs, causal), tiled_attention(*inputs, causal, 32, 48)):
        assert (found - wanted).norm() / wanted.norm() < 1e-6


def test_large_scores_overflow_neither():
    inputs = tensors(1, 40, 40, scale=60.0)
    found, wanted = tiled_attention(*inputs, True, 16, 16), naive_attention(*inputs, True)
    assert found.isfinite().all()
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-3)


def test_queries_behind_a_cache_are_the_last_rows_of_the_whole():
    queries, keys, values = tensors(2, 30, 30)
    whole = naive_attention(queries, keys, values, causal=True)
    torch.testing.assert_close(tiled_attention(queries[..., -4:, :], keys, values, True, 3, 7), whole[..., -4:, :])


def test_the_online_softmax_takes_keys_in_any_pieces():
    queries, keys, values = tensors(3, 4, 12, dtype=torch.float64)
    scores = queries @ keys.transpose(-1, -2)
    state = Softmax.empty(queries, values.shape[-1])
    for start, end in ((0, 1), (1, 8), (8, 12)):
        state = state.fold(scores[..., start:end], values[..., start:end, :])
    torch.testing.assert_close(state.output, scores.softmax(-1) @ values)


def test_no_queries_give_no_rows():
    queries, keys, values = tensors(4, 0, 5)
    assert tiled_attention(queries, keys, values).shape == naive_attention(queries, keys, values).shape == (2, 3, 0, 5)


def test_the_tiled_one_never_holds_more_scores_than_it_says():
    largest = 0

    class Watch(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            nonlocal largest
            result = function(*args, **(kwargs or {}))
            if isinstance(result, torch.Tensor) and result.dtype == torch.float32:
                largest = max(largest, result.numel() * 4)
            return result

    inputs = tensors(5, 256, 256, d=2, d_value=2, lead=(1, 1))
    with Watch():
        tiled_attention(*inputs, False, 32, 16)
    assert largest <= max(tiled_memory(256, 256, 2, query_tile=32, key_tile=16).held, 256 * 2 * 4)
    largest = 0
    with Watch():
        naive_attention(*inputs)
    assert largest == naive_memory(256, 256, 2).held == 256 * 256 * 4


def test_memory_counts():
    assert naive_memory(2048, 2048, 64, n_heads=9).held == 9 * 2048**2 * 4
    assert tiled_memory(2048, 2048, 64, n_heads=9).held == 9 * 64**2 * 4
    one_pass = tiled_memory(64, 2048, 64, bytes_per_value=2, query_tile=64)
    assert one_pass.moved == (2 * 64 + 2 * 2048) * 64 * 2
    assert tiled_memory(2048, 2048, 64, query_tile=256).moved < naive_memory(2048, 2048, 64).moved


@pytest.mark.parametrize("function", [naive_attention, tiled_attention])
@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda q, k, v: (q.long(), k, v), TypeError, "queries have to be a floating-point tensor"),
        (lambda q, k, v: (q, k.numpy(), v), TypeError, "keys .* ndarray came"),
        (lambda q, k, v: (q, k[..., :4], v), ValueError, "equally wide"),
        (lambda q, k, v: (q, k, v[..., :2, :]), ValueError, "equally many"),
        (lambda q, k, v: (q, k[..., :0, :], v[..., :0, :]), ValueError, "no key to attend to"),
        (lambda q, k, v: (q, k[:, :1], v[:, :1]), ValueError, "Repeat the keys"),
        (lambda q, k, v: (q.double(), k, v), ValueError, "one dtype"),
    ],
)
def test_bad_tensors_are_refused_with_a_sentence(function, change, error, words):
    with pytest.raises(error, match=words):
        function(*change(*tensors(6, 3, 3)))


def test_more_queries_than_keys_cannot_be_causal():
    with pytest.raises(ValueError, match="as many keys as queries"):
        tiled_attention(*tensors(7, 4, 3), causal=True)


@pytest.mark.parametrize("size", [0, -1, 2.5, True])
def test_tiles_have_rows(size):
    with pytest.raises(ValueError, match="key_tile has to be a whole number"):
        tiled_attention(*tensors(8, 3, 3), key_tile=size)
