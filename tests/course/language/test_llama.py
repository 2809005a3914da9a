"""Our LLaMA: equal to transformers' in logits and gradients, of the published sizes, and clear about bad input."""

import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from course.language.attention import attend_grouped
from course.language.model import CONFIGS, Llama, LlamaConfig, RMSNorm, attention_maps, random_llama
from course.language.pretrained import from_transformers, to_transformers, transformers_config

SHAPES = [
    LlamaConfig(61, 32, 2, 4, 4, 48, max_positions=64),
    LlamaConfig(61, 48, 3, 6, 2, 80, rope_theta=50_000.0, norm_eps=1e-3, tie_embeddings=False, max_positions=64),
    LlamaConfig(61, 36, 1, 9, 3, 20, tie_embeddings=True, max_positions=64),
    LlamaConfig(61, 40, 2, 5, 1, 64, rope_theta=100.0, max_positions=64),
]


@pytest.fixture
def tokens():
    return torch.randint(0, 61, (3, 33), generator=torch.Generator().manual_seed(0))


def relative(ours, reference):
    return ((ours - reference).norm() / reference.norm()).item()


@pytest.mark.parametrize("config", SHAPES)
def test_it_is_transformers_llama(config, tokens):
    """The reference makes the weights, so that a mistake in our own making of them cannot hide."""
    from transformers import LlamaForCausalLM

    torch.manual_seed(1)
    reference = LlamaForCausalLM(transformers_config(config)).eval()
    for parameter in reference.parameters():
        torch.nn.init.normal_(parameter, 1.0 if parameter.dim() == 1 else 0.0, 0.3)
    ours = from_transformers(reference)
    assert ours.config == config
    assert relative(ours(tokens), reference(tokens).logits) < 1e-5


@pytest.mark.parametrize("config", SHAPES[:2])
def test_its_gradients_are_transformers(config, tokens):
    model = random_llama(config)
    reference = to_transformers(model, "eager")
    for net, logits in ((model, model(tokens)), (reference, reference(tokens).logits)):
        grads = torch.autograd.grad(logits.square().sum(), list(net.parameters()))
        found = {
            name.removeprefix("model."): grad for (name, _), grad in zip(net.named_parameters(), grads, strict=True)
        }
        if net is model:
            ours = found
    assert ours.keys() == found.keys()
    assert all(relative(ours[name], grad) < 1e-4 for name, grad in found.items())


def test_both_share_their_memory(tokens):
    model = random_llama(SHAPES[0])
    reference = to_transformers(model)
    with torch.no_grad():
        model.layers[1].mlp.up_proj.weight.mul_(3)
        assert relative(model(tokens), reference(tokens).logits) < 1e-5
    assert reference.lm_head.weight.data_ptr() == model.embed_tokens.weight.data_ptr()


def test_another_architecture_is_refused():
    from transformers import LlamaForCausalLM

    config = transformers_config(SHAPES[0])
    config.attention_bias = True
    with pytest.raises(ValueError, match="without biases"):
        from_transformers(LlamaForCausalLM(config))


@pytest.mark.parametrize(
    "name, published", [("smollm2-135m", 134_515_008), ("llama-1b", 1_235_814_400), ("llama-8b", 8_030_261_248)]
)
def test_sizes_are_the_published_ones(name, published):
    with torch.device("meta"):
        model = Llama(CONFIGS[name])
    assert sum(parameter.numel() for parameter in model.parameters()) == CONFIGS[name].n_parameters == published


@pytest.mark.parametrize("config", [*SHAPES, CONFIGS["tiny"]])
def test_the_count_is_the_models(config):
    assert sum(parameter.numel() for parameter in Llama(config).parameters()) == config.n_parameters


def test_rms_norm_is_pytorchs():
    norm, reference = RMSNorm(16, 1e-4), torch.nn.RMSNorm(16, 1e-4)
    torch.manual_seed(0)
    norm.weight.data = reference.weight.data = torch.randn(16)
    x = torch.randn(2, 3, 16)
    assert torch.allclose(norm(x), reference(x), atol=1e-6)
    assert torch.equal(norm(torch.zeros(1, 16)), torch.zeros(1, 16))


def test_no_token_knows_what_comes_after_it(tokens):
    model = random_llama(SHAPES[1])
    other = tokens.clone()
    other[:, 20:] = (other[:, 20:] + 1) % 61
    with torch.no_grad():
        before, after = model(tokens), model(other)
    assert torch.allclose(before[:, :20], after[:, :20], atol=1e-6)
    assert not torch.allclose(before[:, 20], after[:, 20], atol=1e-4)


def test_rows_do_not_know_of_each_other(tokens):
    model = random_llama(SHAPES[1])
    with torch.no_grad():
        assert torch.allclose(model(tokens)[1:2], model(tokens[1:2]), atol=1e-5)


def test_attention_maps_are_those_that_the_logits_come_from(tokens):
    model = random_llama(SHAPES[1])
    seen = []

    def recorded(queries, keys, values, offset):
        out = attend_grouped(queries, keys, values, offset)
        seen.append((out, values))
        return out

    maps = attention_maps(model, tokens[:1])
    assert maps.shape == (3, 6, 33, 33) and not maps.requires_grad
    model.use_attention(recorded)
    model(tokens[:1])
    for layer, (out, values) in enumerate(seen):
        assert torch.allclose(maps[layer] @ values[0].repeat_interleave(3, 0), out[0], atol=1e-5)


def test_the_same_seed_makes_the_same_weights_and_the_dtype_is_asked_for():
    first, again, other = (random_llama(SHAPES[0], seed=seed) for seed in (4, 4, 5))
    assert torch.equal(first.lm_head.weight, again.lm_head.weight)
    assert not torch.equal(first.lm_head.weight, other.lm_head.weight)
    half = random_llama(SHAPES[0], dtype=torch.bfloat16)
    assert half(torch.tensor([[1, 2]])).dtype == torch.bfloat16
    assert half.lm_head.weight is half.embed_tokens.weight and not half.training


def test_copies_stay_tied():
    import copy

    model = copy.deepcopy(random_llama(SHAPES[0])).to(torch.float64)
    assert model.lm_head.weight is model.embed_tokens.weight


@pytest.mark.parametrize(
    "change, error, message",
    [
        ({"n_heads": 5}, ValueError, "even width"),
        ({"hidden_size": 12, "n_heads": 4}, ValueError, "even width"),  # an odd width of 3
        ({"n_kv_heads": 3}, ValueError, "choose a divisor"),
        ({"n_kv_heads": 8}, ValueError, "choose a divisor"),
        ({"n_layers": 0}, ValueError, "n_layers"),
        ({"vocab_size": -1}, ValueError, "vocab_size"),
        ({"hidden_size": 64.0}, TypeError, "whole number"),
        ({"n_layers": True}, TypeError, "whole number"),
        ({"rope_theta": 0.0}, ValueError, "above 0"),
        ({"norm_eps": -1e-5}, ValueError, "above 0"),
    ],
)
def test_a_shape_that_cannot_be_is_refused(change, error, message):
    with pytest.raises(error, match=message):
        replace(LlamaConfig(61, 32, 2, 4, 4, 48), **change)


@pytest.mark.parametrize(
    "tokens, error, message",
    [
        ([[1, 2]], TypeError, "list came"),
        (torch.tensor([[1.0, 2.0]]), TypeError, "float32 came"),
        (torch.tensor([[1, 2]], dtype=torch.int32), TypeError, "int32 came"),
        (torch.tensor([1, 2]), ValueError, "batch, n"),
        (torch.empty((1, 0), dtype=torch.int64), ValueError, "n of 1 or more"),
        (torch.empty((0, 3), dtype=torch.int64), ValueError, "n of 1 or more"),
        (torch.tensor([[1, 61]]), ValueError, "0 to 60 were expected and 61"),
        (torch.tensor([[-1, 60]]), ValueError, "0 to 60 were expected and -1"),
        (torch.zeros((1, 65), dtype=torch.int64), ValueError, "At most 64 tokens"),
    ],
)
def test_tokens_that_cannot_be_read_are_refused(tokens, error, message):
    model = random_llama(SHAPES[0])
    for read in (model, model.next_logits):
        with pytest.raises(error, match=message):
            read(tokens)


def test_making_transformers_model_says_nothing():
    """What transformers logs while it is imported carries times and process numbers, which change from run to run."""
    code = """
from course.language.model import CONFIGS, random_llama
from course.language.pretrained import to_transformers
to_transformers(random_llama(CONFIGS["tiny"]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
