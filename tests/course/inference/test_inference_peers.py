"""Engines that take whole requests: a made-up one, and llama.cpp against SmolLM2's weights."""

import math

import pytest
import torch

from course.inference import Setup, available, create, teacher_forced
from course.inference.parity import compare, require
from course.inference.peers import BEST, Engine, spread


def test_what_an_engine_does_not_tell_is_spread_over_the_rest():
    row = spread({3: math.log(0.5), 0: math.log(0.25)}, 6)
    torch.testing.assert_close(row.exp(), torch.tensor([[0.25, 0.0625, 0.0625, 0.5, 0.0625, 0.0625]]))
    torch.testing.assert_close(spread({1: 0.0, 0: -50.0}, 2).exp(), torch.tensor([[0.0, 1.0]]))


def test_requests_for_one_token_are_prefill_and_decode():
    with create("eager", model="tiny", length=40) as model:

        class MadeUp(Engine):
            name = "made up"
            asked = []

            def ask(self, tokens, best):
                self.asked.append((len(tokens), best))
                found = model.logits(torch.tensor([tokens]))[0, -1].log_softmax(-1).topk(best)
                return dict(zip(found.indices.tolist(), found.values.tolist(), strict=True))

            def close(self):
                """Nothing to close."""

        tokens = torch.randint(0, 512, (1, 12), generator=torch.Generator().manual_seed(1))
        engine = MadeUp(Setup(model="tiny", length=40))
        require(compare(model.logits(tokens), engine.logits(tokens)), "int8")
        assert engine.asked == [(n, 512) for n in range(1, 13)]
        engine.asked.clear()
        assert compare(teacher_forced(model, tokens, 7), teacher_forced(engine, tokens, 7)).top1 == 1.0
        assert engine.asked == [(n, BEST) for n in range(7, 13)]
        assert set(engine.limits) == {"top1"}


def test_engines_take_one_sequence():
    assert available("cpu", batch=2)["llama.cpp"].startswith(("It continues one sequence", "The package"))
    assert available("cpu", model="tiny")["llama.cpp"].startswith(("There is a GGUF", "The package"))
    assert "On a CPU take llama.cpp" in available("cpu")["vllm"]


def test_llama_cpp_computes_what_its_dequantized_weights_do():
    setup = {"model": "smollm2", "length": 32, "threads": 1}
    if reason := available("cpu", **setup)["llama.cpp"]:
        pytest.skip(reason)
    threads = torch.get_num_threads()
    try:
        from course.language.pretrained import smollm_tokenizer

        tokens = torch.tensor([smollm_tokenizer()("The customer called the bank about a card").input_ids])
        with create("sdpa", **setup) as reference, create("llama.cpp", **setup) as engine:
            parity = require(compare(reference.logits(tokens[:, :2]), engine.logits(tokens[:, :2])), engine.arithmetic)
            steps = compare(teacher_forced(reference, tokens, 4), teacher_forced(engine, tokens, 4))
            assert steps.top1 >= engine.limits["top1"]
            assert engine.timings["prompt_n"] == 1, "a decode step computes one position; the rest is in its cache"
    finally:
        torch.set_num_threads(threads)
    assert parity.kl < 0.1
