"""Both caches: the same logits as without one, however the text is cut; their bytes; and what does not fit."""

from dataclasses import replace

import pytest
import torch

from course.language.cache import GrowingCache, StaticCache
from course.language.model import CONFIGS, random_llama

CONFIG = replace(CONFIGS["tiny"], n_layers=3, hidden_size=48, n_heads=6, n_kv_heads=2, vocab_size=97, max_positions=64)


@pytest.fixture(scope="module")
def model():
    return random_llama(CONFIG, seed=3)


@pytest.fixture(scope="module")
def tokens():
    return torch.randint(0, 97, (2, 20), generator=torch.Generator().manual_seed(1))


def caches():
    return [GrowingCache(), StaticCache(CONFIG, 2, 24), StaticCache(CONFIG, 2, 20)]


def in_chunks(model, tokens, cache, chunks):
    with torch.no_grad():
        return torch.cat([model(part, cache) for part in tokens.split(chunks, dim=1)], dim=1)


@pytest.mark.parametrize("chunks", [[20], [1] * 20, [7, 1, 1, 11], [19, 1], [1, 19], [3, 3, 3, 3, 3, 3, 2]])
def test_cached_logits_are_those_without_a_cache_however_the_text_is_cut(model, tokens, chunks):
    with torch.no_grad():
        expected = model(tokens)
    for cache in caches():
        logits = in_chunks(model, tokens, cache, chunks)
        assert (logits - expected).norm() < 1e-5 * expected.norm()
        assert cache.length == 20


def test_next_logits_are_the_last_of_all(model, tokens):
    with torch.no_grad():
        expected = model(tokens)[:, -1]
        for cache in [None, *caches()]:
            assert torch.allclose(model.next_logits(tokens, cache), expected, atol=1e-5)


def test_a_cache_that_forgot_its_end_goes_on_from_there(model, tokens):
    with torch.no_grad():
        expected = model(tokens)
        for cache in caches():
            in_chunks(model, tokens.flip(1)[:, :3], cache, [3])
            cache.reset()
            assert cache.length == 0
            in_chunks(model, torch.cat([tokens[:, :8], tokens[:, :5]], 1), cache, [13])
            cache.truncate(8)
            assert cache.length == 8
            assert torch.allclose(in_chunks(model, tokens[:, 8:], cache, [12]), expected[:, 8:], atol=1e-5)


def test_what_lies_behind_the_text_in_a_static_cache_does_not_matter(model, tokens):
    cache = StaticCache(CONFIG, 2, 24)
    for tensor in cache.keys + cache.values:
        tensor.fill_(50.0)
    with torch.no_grad():
        assert torch.allclose(model(tokens, cache), model(tokens), atol=1e-5)


def test_a_static_cache_stays_where_it_is(model, tokens):
    cache = StaticCache(CONFIG, 2, 24)
    places = [tensor.data_ptr() for tensor in cache.keys + cache.values] + [cache.written.data_ptr()]
    in_chunks(model, tokens, cache, [12, 8])
    cache.reset()
    assert places == [tensor.data_ptr() for tensor in cache.keys + cache.values] + [cache.written.data_ptr()]


def test_a_compiler_sees_one_graph_for_all_steps_and_nothing_that_waits(model, tokens):
    """`fullgraph` fails where Python has to look at a value, and each new shape or address would be another graph."""
    graphs, cache = [], StaticCache(CONFIG, 2, 24)

    def backend(graph, inputs):
        graphs.append(graph)
        return graph.forward

    step = torch.compile(lambda token: model.lm_head(model.hidden(token, cache)), backend=backend, fullgraph=True)
    with torch.no_grad():
        logits = torch.cat([step(token) for token in tokens[:, :6].split(1, dim=1)], dim=1)
        assert torch.allclose(logits, model(tokens[:, :6]), atol=1e-5)
    assert len(graphs) == 1 and cache.length == 6


def test_bytes_are_those_of_the_formula(model, tokens):
    growing, static = GrowingCache(), StaticCache(CONFIG, 2, 24)
    assert growing.nbytes == 0
    in_chunks(model, tokens, growing, [20])
    by_hand = 2 * 3 * 2 * 2 * 20 * 8 * 4  # keys and values, layers, rows, heads, tokens, width, bytes
    assert growing.nbytes == by_hand == CONFIG.cache_bytes(20, batch=2)
    assert static.nbytes == CONFIG.cache_bytes(24, batch=2)
    assert StaticCache(CONFIG, 2, 24, dtype=torch.bfloat16).nbytes == CONFIG.cache_bytes(24, 2, bytes_per_value=2)


def test_bfloat16_runs_through_a_static_cache(tokens):
    model = random_llama(CONFIG, seed=3, dtype=torch.bfloat16)
    cache = StaticCache(CONFIG, 2, 24, dtype=torch.bfloat16)
    logits = in_chunks(model, tokens, cache, [13, 7])
    with torch.no_grad():
        expected = model(tokens)
    assert logits.dtype == torch.bfloat16
    assert (logits - expected).float().norm() < 0.05 * expected.float().norm()


def test_selected_rows_go_on_separately(model, tokens):
    cache = GrowingCache()
    in_chunks(model, tokens[:, :10], cache, [10])
    cache.select(torch.tensor([1, 1, 0]))
    ends = tokens[[0, 1, 0], 10:]
    with torch.no_grad():
        together = model(torch.cat([tokens[[1, 1, 0], :10], ends], 1))[:, 10:]
    assert torch.allclose(in_chunks(model, ends, cache, [10]), together, atol=1e-5)


def test_a_full_cache_says_so_and_stays_as_it_was(model, tokens):
    cache = StaticCache(CONFIG, 2, 12)
    in_chunks(model, tokens[:, :10], cache, [10])
    with pytest.raises(ValueError, match="12 places, 10 of them taken; 3 more"):
        model(tokens[:, 10:13], cache)
    assert cache.length == 10


@pytest.mark.parametrize("cache", caches()[:2], ids=["growing", "static"])
def test_another_batch_is_refused(model, tokens, cache):
    in_chunks(model, tokens[:, :4], cache, [4])
    with pytest.raises(ValueError, match="1 came"):
        model(tokens[:1, 4:5], cache)
    assert cache.length == 4


@pytest.mark.parametrize("cache", caches()[:2], ids=["growing", "static"])
def test_what_does_not_fit_is_refused(cache):
    fit = torch.zeros(2, 2, 5, 8)
    for layer in range(3):
        cache.update(layer, fit, fit)
    for keys in (fit[:, :1], fit[..., :4], fit.double()):
        with pytest.raises(ValueError, match="were expected"):
            cache.update(0, keys, keys)
    for length in (-1, 6):
        with pytest.raises(ValueError, match="from 0 to 5"):
            cache.truncate(length)


def test_layers_come_in_order():
    with pytest.raises(ValueError, match="Layer 0 was expected"):
        GrowingCache().update(1, torch.zeros(1, 2, 1, 8), torch.zeros(1, 2, 1, 8))


@pytest.mark.parametrize("batch, length", [(0, 4), (1, 0), (1, -3)])
def test_a_static_cache_needs_a_size(batch, length):
    with pytest.raises(ValueError, match="At least one"):
        StaticCache(CONFIG, batch, length)
