"""Every backend that runs in this process gives the logits of transformers' eager attention, whole and cached."""

from dataclasses import replace

import pytest
import torch

from course.inference import available, create, generate
from course.inference.eager import Eager
from course.inference.parity import measure, require
from course.inference.protocol import Unavailable
from course.inference.sdpa import attention_by
from course.language.model import CONFIGS

SHAPE = {"model": "tiny", "batch": 2, "length": 40}
IN_PROCESS = ("eager", "uncached", "naive", "tiled", "transformers-sdpa", "sdpa", "sdpa-math", "sdpa-flash", "int8")


@pytest.fixture(scope="module")
def reference():
    with create("transformers-eager", **SHAPE) as backend:
        yield backend


@pytest.fixture(scope="module")
def tokens():
    return torch.randint(0, 512, (2, 24), generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("name", IN_PROCESS)
def test_parity(name, reference, tokens):
    if reason := available("cpu")[name]:
        pytest.skip(reason)
    with create(name, **SHAPE) as backend:
        parity = require(measure(reference, backend, tokens, n_prompt=9, n_new=6), backend.arithmetic)
    if backend.arithmetic == "float32":
        assert parity.tokens == 1.0
        assert parity.rel_l2 < 1e-5


@pytest.mark.parametrize("name", ["sdpa-efficient", "sdpa-cudnn"])
def test_kernels_that_some_devices_lack(name, reference, tokens):
    if reason := available("cpu")[name]:
        pytest.skip(reason)
    with create(name, **SHAPE) as backend:
        require(measure(reference, backend, tokens, n_prompt=9), "float32")


@pytest.mark.parametrize("n_prompt", [1, 2, 24])
def test_prompts_of_any_length(n_prompt, reference, tokens):
    with create("sdpa", **SHAPE) as backend:
        require(measure(reference, backend, tokens, n_prompt), "float32")


def test_bfloat16_is_within_its_limits_and_outside_float32s(reference, tokens):
    with create("sdpa", **SHAPE, dtype="bfloat16") as backend:
        parity = require(measure(reference, backend, tokens, n_prompt=9), "bfloat16")
    assert parity.rel_l2 > 1e-4


def test_the_limits_see_wrong_attention(reference, tokens, monkeypatch):
    class Blurred(Eager):
        name = "blurred"

        def __init__(self, setup):
            super().__init__(setup)
            attend = self.model.layers[0].self_attn.attend
            self.model.use_attention(lambda q, k, v, offset=0: attend(0.8 * q, k, v, offset))

    with Blurred(reference.setup) as backend:
        parity = measure(reference, backend, tokens, n_prompt=9)
    with pytest.raises(Exception, match="Its speed is not reported"):
        require(parity, "float32")


def test_the_limits_see_a_cache_that_forgets(reference, tokens):
    class Forgetful(Eager):
        name = "forgetful"

        def _decode(self, tokens):
            self.cache.truncate(self.cache.length - 1)
            return super()._decode(tokens)

    with Forgetful(reference.setup) as backend, pytest.raises(Exception, match="Its speed is not reported"):
        require(measure(reference, backend, tokens, n_prompt=9), "float32")


def test_a_prompt_in_the_wrong_place_is_refused(reference, tokens):
    for n_prompt in (0, 25):
        with pytest.raises(ValueError, match="n_prompt has to lie in 1 to 24"):
            measure(reference, reference, tokens, n_prompt)


def test_a_kernel_by_name_or_not_at_all():
    queries = torch.randn(1, 2, 8, 16)
    torch.testing.assert_close(
        attention_by("math", queries, queries, queries, True), attention_by("flash", queries, queries, queries, True)
    )
    with pytest.raises(Exception, match="No kernel of attention is called 'magic'; there are math, flash"):
        attention_by("magic", queries, queries, queries)
    if not torch.cuda.is_available():
        with pytest.raises(Unavailable, match="no cudnn kernel of attention for cpu, float32"):
            attention_by("cudnn", queries, queries, queries)


@pytest.mark.parametrize("name", ["compiled", "int8-compiled"])
def test_compiled_step_and_static_cache(name, tokens, monkeypatch):
    """One layer: it has every kernel, and compiling them is what takes the time."""
    if reason := available("cpu")[name]:
        pytest.skip(reason)
    monkeypatch.setitem(CONFIGS, "tiny", replace(CONFIGS["tiny"], n_layers=1))
    with create("sdpa", **SHAPE) as reference, create(name, **SHAPE) as backend:
        require(measure(reference, backend, tokens, n_prompt=20, n_new=4), backend.arithmetic)
        first = generate(backend, tokens[:, :5], 3)
        assert torch.equal(generate(backend, tokens[:, :5], 3), first), "the cache is empty after a reset"
