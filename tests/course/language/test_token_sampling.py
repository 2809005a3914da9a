"""Filters on distributions against brute force and transformers' own, draws against the distribution, and bad input."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from course.language.sampling import Sampler, greedy, keep_min_p, keep_top_k, keep_top_p, sample, softmax

# Multiples of 1/64, so that sums are exact, ties are common and the border of top-p can be met.
distributions = (
    st.lists(st.integers(0, 16), min_size=1, max_size=12)
    .filter(any)
    .map(lambda counts: torch.tensor(counts, dtype=torch.float64) / sum(counts))
)


def ranked(probs) -> list[int]:
    """Tokens from the likeliest on, of equals the lower number first."""
    return sorted(range(len(probs)), key=lambda token: (-probs[token], token))


def kept_alone(probs, kept) -> torch.Tensor:
    total = sum(probs[token].item() for token in kept)
    expected = [probs[token].item() / total if token in kept else 0.0 for token in range(len(probs))]
    return torch.tensor(expected, dtype=torch.float64)


@given(distributions, st.integers(1, 14))
def test_top_k_keeps_the_first_k_of_a_ranking(probs, k):
    assert torch.allclose(keep_top_k(probs, k), kept_alone(probs, ranked(probs)[:k]))


@given(distributions, st.floats(0.01, 1.0))
def test_top_p_keeps_as_few_of_the_first_as_reach_p(probs, p):
    ranking, total, n = ranked(probs), 0.0, 0
    while n < len(ranking) and (total < p and not math.isclose(total, p, abs_tol=1e-12)):
        total += probs[ranking[n]].item()
        n += 1
    if not any(math.isclose(sum(probs[t].item() for t in ranking[:i]), p, abs_tol=1e-12) for i in range(1, n + 1)):
        assert torch.allclose(keep_top_p(probs, p), kept_alone(probs, ranking[:n]))


@given(distributions, st.floats(0.0, 1.0))
def test_min_p_keeps_what_is_a_share_of_the_likeliest(probs, m):
    kept = [token for token in range(len(probs)) if probs[token] >= m * max(probs)]
    assert torch.allclose(keep_min_p(probs, m), kept_alone(probs, kept))


def test_ties_and_borders_are_as_documented():
    quarters = torch.full((4,), 0.25)
    assert keep_top_k(quarters, 2).tolist() == [0.5, 0.5, 0, 0]
    assert keep_top_p(quarters, 0.5).tolist() == [0.5, 0.5, 0, 0]  # exactly reached: no token more
    assert keep_top_p(quarters, 0.51).count_nonzero() == 3
    assert keep_min_p(quarters, 1.0).tolist() == quarters.tolist()
    assert keep_top_p(torch.tensor([0.9, 0.1]), 0.01).tolist() == [1, 0]
    assert keep_top_p(torch.tensor([1.0, 1e-30]), 1.0).count_nonzero() == 2


def test_filters_are_transformers():
    from transformers import MinPLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

    logits = torch.randn(5, 200, generator=torch.Generator().manual_seed(0)) * 3
    probs = softmax(logits)
    pairs = [
        (keep_top_k(probs, 7), TopKLogitsWarper(7)),
        (keep_top_p(probs, 0.8), TopPLogitsWarper(0.8)),
        (keep_min_p(probs, 0.05), MinPLogitsWarper(0.05)),
    ]
    for ours, theirs in pairs:
        assert torch.allclose(ours, theirs(None, logits).softmax(-1), atol=1e-6)


def test_a_sampler_applies_them_in_transformers_order():
    from transformers import LogitsProcessorList, MinPLogitsWarper, TemperatureLogitsWarper, TopKLogitsWarper
    from transformers import TopPLogitsWarper as TopP

    logits = torch.randn(5, 200, generator=torch.Generator().manual_seed(0)) * 3
    theirs = LogitsProcessorList([TemperatureLogitsWarper(1.7), TopKLogitsWarper(40), TopP(0.9), MinPLogitsWarper(0.2)])
    ours = Sampler(temperature=1.7, top_k=40, top_p=0.9, min_p=0.2).distribution(logits)
    assert torch.allclose(ours, theirs(None, logits).softmax(-1), atol=1e-6)


def test_softmax_with_a_temperature_is_the_definition():
    logits = torch.tensor([1.0, 2.0, -1.0], dtype=torch.float64)
    for temperature in (0.25, 1.0, 4.0):
        powers = np.exp(logits.numpy() / temperature)
        assert np.allclose(softmax(logits, temperature), powers / powers.sum())
    assert softmax(torch.tensor([1e30, 0.0]), 1e-20).tolist() == [1, 0]
    assert softmax(torch.tensor([0.0, -math.inf])).tolist() == [1, 0]
    assert softmax(logits.bfloat16()).dtype == torch.float32


def test_draws_follow_the_distribution():
    probs = Sampler(top_k=5).distribution(torch.linspace(0, 2, 9))
    drawn = sample(probs.expand(20_000, 9), torch.Generator().manual_seed(0))
    counts = np.bincount(drawn, minlength=9)
    assert not counts[:4].any()
    assert chisquare(counts[4:], probs[4:].double().numpy() / probs[4:].double().sum().item() * 20_000).pvalue > 0.01


def test_shapes_and_seeds():
    logits = torch.randn(2, 3, 50, generator=torch.Generator().manual_seed(0))
    first, again = (Sampler()(logits, torch.Generator().manual_seed(7)) for _ in range(2))
    assert first.shape == (2, 3) and torch.equal(first, again)
    assert torch.equal(greedy(logits), logits.argmax(-1))
    assert torch.equal(Sampler(top_k=1)(logits), greedy(logits))
    assert sample(softmax(logits[0, 0])).shape == ()


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: softmax(torch.zeros(3), 0.0), "take greedy"),
        (lambda: softmax(torch.zeros(3), -1.0), "above 0"),
        (lambda: softmax(torch.zeros(3), math.nan), "above 0"),
        (lambda: softmax(torch.zeros(3), math.inf), "above 0"),
        (lambda: softmax(torch.tensor([0.0, math.nan])), "NaN"),
        (lambda: softmax(torch.full((2,), -math.inf)), "finite score"),
        (lambda: softmax(torch.empty(0)), "finite score"),
        (lambda: greedy(torch.tensor([math.inf, 0.0])), "finite score"),
        (lambda: keep_top_k(torch.ones(2) / 2, 0), "k = 0"),
        (lambda: keep_top_k(torch.ones(2) / 2, 1.5), "whole number"),
        (lambda: keep_top_p(torch.ones(2) / 2, 0.0), "p = 0"),
        (lambda: keep_top_p(torch.ones(2) / 2, 1.1), "p = 1.1"),
        (lambda: keep_top_p(torch.ones(2) / 2, math.nan), "p = nan"),
        (lambda: keep_min_p(torch.ones(2) / 2, -0.1), "m = -0.1"),
        (lambda: keep_min_p(torch.ones(2) / 2, 1.5), "m = 1.5"),
        (lambda: sample(torch.tensor([0.5, -0.5])), "0 or more"),
        (lambda: sample(torch.tensor([0.5, math.nan])), "0 or more"),
        (lambda: sample(torch.zeros(3)), "above 0"),
        (lambda: Sampler(temperature=0), "take greedy"),
        (lambda: Sampler(top_k=0), "k = 0"),
        (lambda: Sampler(top_p=2.0), "p = 2.0"),
        (lambda: Sampler(min_p=-1.0), "m = -1.0"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_tokens_are_no_scores():
    with pytest.raises(TypeError, match="int64"):
        greedy(torch.tensor([1, 2]))
