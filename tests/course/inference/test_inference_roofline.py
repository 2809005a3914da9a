"""Counted operations and bytes against PyTorch's counter and the tensors themselves; ceilings; predictions."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from course.errors import CourseError
from course.inference.roofline import (
    PEAKS,
    Work,
    decode_work,
    matmul_parameters,
    measure_ceilings,
    predict,
    prefill_work,
    published_peak,
)
from course.language.cache import GrowingCache
from course.language.model import CONFIGS, random_llama

TINY = CONFIGS["tiny"]


@pytest.fixture(scope="module")
def model():
    return random_llama(TINY)


def counted(run):
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        run()
    return counter.get_total_flops()


@pytest.mark.parametrize(("batch", "n"), [(1, 1), (1, 17), (3, 40)])
def test_prefill_flops_are_those_of_pytorchs_counter(model, batch, n):
    tokens = torch.zeros(batch, n, dtype=torch.int64)
    assert counted(lambda: model(tokens)) == prefill_work(TINY, batch, n, logit_rows=n).flops
    assert counted(lambda: model.next_logits(tokens)) == prefill_work(TINY, batch, n).flops


def test_decode_flops_are_those_of_pytorchs_counter(model):
    cache = GrowingCache()
    with torch.no_grad():
        model.next_logits(torch.zeros(2, 30, dtype=torch.int64), cache)
    flops = counted(lambda: model.next_logits(torch.zeros(2, 1, dtype=torch.int64), cache))
    assert flops == decode_work(TINY, 2, 31).flops


def test_bytes_are_those_of_the_tensors(model):
    work = decode_work(TINY, 2, 31)
    assert work.weights == sum(weight.nbytes for weight in model.parameters())  # tied: the head is the embedding
    cache = GrowingCache()
    with torch.no_grad():
        model.next_logits(torch.zeros(2, 31, dtype=torch.int64), cache)
    assert work.cache_read == cache.nbytes
    assert work.cache_written * 31 == work.cache_read
    assert work.logits == 2 * TINY.vocab_size * 4
    assert work.bytes == work.weights + work.cache_read + work.cache_written + work.logits


def test_an_untied_embedding_is_not_read():
    config = CONFIGS["llama-8b"]
    norms = config.hidden_size * (2 * config.n_layers + 1)
    embedding = config.vocab_size * config.hidden_size
    assert matmul_parameters(config) == config.n_parameters - 2 * embedding - norms
    assert decode_work(config, 1, 1, "bfloat16").weights == 2 * (config.n_parameters - embedding)


def test_causal_scores_are_half_and_int8_weights_a_quarter():
    full, causal = prefill_work(TINY, 1, 100), prefill_work(TINY, 1, 100, causal=True)
    scores = 4 * TINY.n_layers * TINY.hidden_size
    assert full.flops - causal.flops == scores * (100 * 100 - 100 * 101 // 2)
    assert decode_work(TINY, 1, 9, weights_as="int8").weights < 0.26 * decode_work(TINY, 1, 9).weights


def test_the_roof_is_the_slower_of_the_two():
    work = Work(flops=100, weights=40, cache_read=5, cache_written=3, logits=2)
    assert predict(work, 10.0, 10.0).bound == "compute"
    assert predict(work, 10.0, 10.0).seconds == 10.0
    assert predict(work, 1e9, 5.0).bound == "memory"
    assert predict(work, 1e9, 5.0).per_second(20) == 2.0
    assert work.intensity == 2.0


def test_decoding_is_bound_by_memory_and_reading_a_prompt_by_arithmetic_on_a_gpu():
    peak, config = PEAKS["H100 SXM"], CONFIGS["llama-8b"]
    roofs = (peak.flops_per_second["bfloat16"], peak.bytes_per_second)
    assert predict(decode_work(config, 1, 512, "bfloat16"), *roofs).bound == "memory"
    assert predict(prefill_work(config, 1, 2048, "bfloat16"), *roofs).bound == "compute"
    assert 190 < predict(decode_work(config, 1, 512, "bfloat16"), *roofs).per_second(1) < 225


def test_ceilings_keep_every_repetition():
    found = measure_ceilings(side=64, values=2**16, repetitions=3, seconds=0.001)
    products = (found.flops_per_second[:3], found.flops_per_second[3:])  # by PyTorch, and by ONNX Runtime
    for rates in (*products, found.copy_bytes_per_second, found.read_bytes_per_second):
        assert len(rates) == 3
        assert all(rate > 0 for rate in rates)
    assert found.flops == max(found.flops_per_second)
    assert found.bytes == max(*found.copy_bytes_per_second, *found.read_bytes_per_second)


def test_measuring_leaves_the_number_of_threads_alone():
    before = torch.get_num_threads()
    measure_ceilings(side=16, values=2**12, repetitions=1, seconds=0.001, threads=1)
    assert torch.get_num_threads() == before


def test_published_peaks_name_their_source():
    for peak in PEAKS.values():
        assert "NVIDIA" in peak.source
        assert peak.flops_per_second["bfloat16"] > 10 * peak.flops_per_second["float32"]


def test_peaks_by_the_drivers_name():
    assert published_peak("NVIDIA H100 80GB HBM3") is PEAKS["H100 SXM"]
    assert published_peak("NVIDIA H200").bytes_per_second == 4.8e12
    assert published_peak("NVIDIA H200 NVL") is None


def test_bad_input():
    with pytest.raises(CourseError, match="dtype has to be one of float32"):
        decode_work(TINY, 1, 1, "float8")
    with pytest.raises(ValueError, match="tokens has to be 1 or more"):
        prefill_work(TINY, 1, 0)
    with pytest.raises(ValueError, match="batch has to be 1 or more"):
        decode_work(TINY, 0, 5)
    with pytest.raises(ValueError, match="above 0"):
        predict(decode_work(TINY, 1, 1), 0.0, 1.0)
    if not torch.cuda.is_available():
        with pytest.raises(CourseError, match="No CUDA device"):
            measure_ceilings("cuda")
