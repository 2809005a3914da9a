"""Generation with and without a cache, streaming and alternatives, on a small random model; and bad input."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from course.language.cache import GrowingCache, StaticCache
from course.language.generation import continuations, generate, generate_uncached, stream
from course.language.model import CONFIGS, random_llama
from course.language.sampling import Sampler, greedy

CONFIG = replace(CONFIGS["tiny"], n_layers=2, hidden_size=32, intermediate_size=48, vocab_size=11, max_positions=40)
PROMPT = [3, 1, 4, 1, 5]


@pytest.fixture(scope="module")
def model():
    """With weights ten times as large as usual, so that its choices are not close calls."""
    model = random_llama(CONFIG, seed=1)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(10)
    return model


def log_probs_of(model, tokens):
    with torch.no_grad():
        return model(torch.tensor([tokens]))[0].double().log_softmax(-1).numpy()


def test_each_greedy_token_is_the_likeliest_after_all_before_it(model):
    text = list(PROMPT)
    for token in generate(model, PROMPT, 20):
        assert token == log_probs_of(model, text)[-1].argmax()
        text.append(token)
    assert len(text) == 25


@pytest.mark.parametrize(
    "sampler", [greedy, Sampler(temperature=2.0), Sampler(top_k=4)], ids=["greedy", "hot", "top-k"]
)
def test_with_and_without_a_cache_the_tokens_are_the_same(model, sampler):
    def seeded():
        return torch.Generator().manual_seed(5)

    expected = generate_uncached(model, PROMPT, 20, sampler, generator=seeded())
    assert generate(model, PROMPT, 20, sampler, generator=seeded()) == expected
    static = StaticCache(CONFIG, 1, 24)
    assert generate(model, PROMPT, 20, sampler, cache=static, generator=seeded()) == expected
    assert len(expected) == 20 and static.length == 24


def test_a_stream_is_the_same_one_token_at_a_time(model):
    running = stream(model, PROMPT, 9)
    first = next(running)
    assert [first, *running] == generate(model, PROMPT, 9)


def test_a_cache_lets_a_text_go_on(model):
    cache = GrowingCache()
    first = generate(model, PROMPT, 6, cache=cache)
    assert cache.length == len(PROMPT) + 5
    after = generate(model, [first[-1], 7, 8], 6, cache=cache)
    assert after == generate(model, [*PROMPT, *first, 7, 8], 6)


def test_a_stop_token_ends_the_text_and_is_not_part_of_it(model):
    whole = generate(model, PROMPT, 20)
    stop = whole[5]
    expected = whole[: whole.index(stop)]
    assert generate(model, PROMPT, 20, stop={stop}) == expected
    assert generate_uncached(model, PROMPT, 20, stop=[stop]) == expected
    assert generate(model, PROMPT, 0) == generate_uncached(model, PROMPT, 0) == []


def test_prompts_may_be_lists_arrays_and_tensors(model):
    expected = generate(model, PROMPT, 3)
    for prompt in (np.array(PROMPT), torch.tensor(PROMPT), torch.tensor([PROMPT]), tuple(PROMPT)):
        assert generate(model, prompt, 3) == expected


def test_nothing_remembers_gradients(model):
    cache = GrowingCache()
    generate(model, PROMPT, 3, cache=cache)
    assert not any(tensor.requires_grad for tensor in cache.keys + cache.values)


def test_alternatives_are_the_likeliest_branches_with_their_probabilities(model):
    found = continuations(model, PROMPT, 4, width=3, depth=2)
    expected = set()
    for first in np.argsort(-log_probs_of(model, PROMPT)[-1])[:3].tolist():
        for second in np.argsort(-log_probs_of(model, [*PROMPT, first])[-1])[:3].tolist():
            expected.add((first, second, *generate(model, [*PROMPT, first, second], 2)))
    assert {path.tokens for path in found} == expected and len(found) == 9
    for path in found:
        scores = log_probs_of(model, [*PROMPT, *path.tokens])
        by_hand = [scores[len(PROMPT) - 1 + i, token] for i, token in enumerate(path.tokens)]
        assert np.allclose(path.log_probs, by_hand, atol=1e-4) and not path.ended
    assert [path.log_probability for path in found] == sorted((path.log_probability for path in found), reverse=True)


def test_the_whole_tree_has_a_probability_of_1(model):
    found = continuations(model, PROMPT, 2, width=11, depth=2)
    assert {path.tokens for path in found} == set(itertools.product(range(11), repeat=2))
    assert np.isclose(sum(np.exp(path.log_probability) for path in found), 1, atol=1e-4)


def test_alternatives_that_stop_are_cut_there(model):
    found = continuations(model, PROMPT, 5, width=3, depth=1, stop=range(11))
    assert [(path.tokens, path.ended) for path in found] == [((), True)] * 3
    stop = continuations(model, PROMPT, 5, width=3)[1].tokens[2]
    for path in continuations(model, PROMPT, 5, width=3, stop={stop}):
        assert stop not in path.tokens and len(path.log_probs) == len(path.tokens)
        assert path.ended == (len(path.tokens) < 5)


@pytest.mark.parametrize("make", [generate, generate_uncached, stream, continuations], ids=lambda f: f.__name__)
@pytest.mark.parametrize(
    "prompt, n, error, message",
    [
        ([], 3, ValueError, "n of 1 or more"),
        ([1, 11], 3, ValueError, "0 to 10 were expected and 11"),
        ([-1], 3, ValueError, "and -1"),
        ([1.0, 2.0], 3, TypeError, "whole numbers"),
        (torch.tensor([1.0]), 3, TypeError, "float32"),
        ("hello", 3, TypeError, "tokenizer"),
        ([True], 3, TypeError, "whole numbers"),
        (torch.ones((2, 3), dtype=torch.int64), 3, ValueError, "One row"),
        (torch.ones((1, 2, 3), dtype=torch.int64), 3, ValueError, "batch, n"),
        ([1], -1, ValueError, "-1 came"),
        ([1] * 30, 12, ValueError, "At most 40"),
        ([1] * 41, 1, ValueError, "At most 40"),
    ],
)
def test_bad_input_is_refused_before_the_first_token(model, make, prompt, n, error, message):
    with pytest.raises(error, match=message):
        make(model, prompt, n)


@pytest.mark.parametrize("make", [generate, generate_uncached, stream, continuations], ids=lambda f: f.__name__)
def test_one_stop_token_by_itself_is_refused(model, make):
    with pytest.raises(TypeError, match=r"Try stop=\{2\}"):
        make(model, PROMPT, 3, stop=2)


def test_what_just_fits_is_generated(model):
    assert len(generate(model, [1] * 30, 11)) == len(generate_uncached(model, [1] * 30, 11)) == 11


def test_a_cache_that_is_too_short_is_refused_before_the_first_token(model):
    cache = StaticCache(CONFIG, 1, 10)
    with pytest.raises(ValueError, match="10 places, 0 of them taken; 11 more"):
        generate(model, PROMPT, 7, cache=cache)
    assert cache.length == 0
    assert len(generate(model, PROMPT, 6, cache=cache)) == 6
    with pytest.raises(ValueError, match="2 rows and 1 came"):
        generate(model, PROMPT, 1, cache=StaticCache(CONFIG, 2, 10))


@pytest.mark.parametrize("width, depth", [(0, 1), (12, 1), (2, 0), (2, 11)])
def test_trees_that_cannot_be_grown_are_refused(model, width, depth):
    with pytest.raises(ValueError, match="1,024 branches"):
        continuations(model, PROMPT, 3, width, depth)
