"""LoRA adapters: nothing at the start, merged = unmerged, equal to peft's, and clear sentences for what can't be."""

import copy

import pytest
import torch
from torch import nn

from course.errors import CourseError
from course.finetuning.lora import (
    LoraLinear,
    adapter_state,
    adapters,
    add_lora,
    count_trainable,
    disabled,
    load_adapter,
    merge,
    remove_lora,
    unmerge,
)


class Small(nn.Module):
    """Two named layers and one that is no linear layer."""

    def __init__(self, bias=True):
        super().__init__()
        self.query = nn.Linear(12, 20, bias=bias)
        self.norm = nn.LayerNorm(20)
        self.parts = nn.ModuleList([nn.Linear(20, 20, bias=bias), nn.Linear(20, 7, bias=bias)])

    def forward(self, x):
        x = self.norm(torch.relu(self.query(x)))
        for part in self.parts:
            x = torch.tanh(part(x))
        return x


@pytest.fixture
def small():
    torch.manual_seed(1)
    return Small()


@pytest.fixture
def inputs():
    return torch.randn(3, 5, 12, generator=torch.Generator().manual_seed(2))


def shaken(module):
    """Random numbers in every ``up``, as if it had been trained."""
    generator = torch.Generator().manual_seed(3)
    for adapter in adapters(module).values():
        adapter.up.data.normal_(0, 0.3, generator=generator)
    return module


def test_nothing_changes_at_the_start(small, inputs):
    before = small(inputs)
    add_lora(small, rank=3)
    assert torch.equal(small(inputs), before)


@pytest.mark.parametrize("rank", [1, 4, 7])
def test_merged_is_unmerged(small, inputs, rank):
    shaken_small = shaken_after(small, rank)
    before = shaken_small(inputs)
    merge(small)
    assert torch.allclose(small(inputs), before, atol=1e-5)
    unmerge(small)
    assert torch.allclose(small(inputs), before, atol=1e-5)


def shaken_after(small, rank):
    add_lora(small, rank, alpha=5)
    return shaken(small)


def test_the_change_has_at_most_its_rank_and_is_scaled(small):
    shaken_after(small, 3)
    adapter = adapters(small)["query"]
    assert torch.linalg.matrix_rank(adapter.update()) == 3
    assert torch.allclose(adapter.update(), 5 / 3 * adapter.up @ adapter.down)


def test_a_merged_model_without_its_adapters_is_plain_and_computes_the_same(small, inputs):
    before = shaken_after(small, 2)(inputs)
    merge(small)
    remove_lora(small)
    assert not adapters(small) and torch.allclose(small(inputs), before, atol=1e-5)


def test_removed_unmerged_is_the_base_to_the_last_bit(small, inputs):
    base = copy.deepcopy(small)
    shaken_after(small, 2)
    remove_lora(small)
    assert torch.equal(small(inputs), base(inputs))


def test_disabled_is_the_base_to_the_last_bit_and_only_within_the_block(small, inputs):
    base = copy.deepcopy(small)
    shaken_after(small, 2)
    after = small(inputs)
    with disabled(small):
        assert torch.equal(small(inputs), base(inputs))
    assert torch.equal(small(inputs), after) and not torch.equal(after, base(inputs))


def test_disabled_restores_also_after_an_error(small):
    shaken_after(small, 2)
    with pytest.raises(ZeroDivisionError), disabled(small):
        raise ZeroDivisionError
    assert all(adapter.enabled for adapter in adapters(small).values())


def test_training_changes_only_the_adapters(small, inputs):
    base = copy.deepcopy(small.state_dict())
    add_lora(small, rank=2)
    optimiser = torch.optim.SGD([p for p in small.parameters() if p.requires_grad], 0.1)
    for _ in range(3):
        optimiser.zero_grad()
        small(inputs).square().sum().backward()
        optimiser.step()
    now = {name.replace("base.", ""): value for name, value in small.state_dict().items()}
    assert all(torch.equal(now[name], value) for name, value in base.items())
    assert all(adapter.up.abs().sum() > 0 for adapter in adapters(small).values())


def test_the_gradient_is_that_of_the_merged_weight(small, inputs):
    """By the chain rule dL/dB = scale dL/dW A^T and dL/dA = scale B^T dL/dW."""
    shaken_after(small, 3)
    adapter = adapters(small)["parts.1"]
    small(inputs).square().sum().backward()
    plain = copy.deepcopy(small)
    merge(plain)
    weight = adapters(plain)["parts.1"].base.weight.requires_grad_()
    plain(inputs).square().sum().backward()
    assert torch.allclose(adapter.up.grad, adapter.scale * weight.grad @ adapter.down.T, atol=1e-5)
    assert torch.allclose(adapter.down.grad, adapter.scale * adapter.up.T @ weight.grad, atol=1e-5)


def test_the_same_as_peft(inputs):
    peft = pytest.importorskip("peft")
    torch.manual_seed(4)
    ours, theirs = Small(), Small()
    theirs.load_state_dict(ours.state_dict())
    add_lora(ours, rank=3, alpha=6, targets=("query", "1"))
    config = peft.LoraConfig(r=3, lora_alpha=6, target_modules=["query", "parts.1"], lora_dropout=0.0)
    theirs = peft.get_peft_model(theirs, config)
    for name, adapter in adapters(shaken(ours)).items():
        twin = theirs.base_model.model.get_submodule(name)
        twin.lora_A["default"].weight.data.copy_(adapter.down)
        twin.lora_B["default"].weight.data.copy_(adapter.up)
    assert torch.allclose(ours(inputs), theirs(inputs), atol=1e-6)
    assert count_trainable(ours) == sum(p.numel() for p in theirs.parameters() if p.requires_grad)
    merge(ours)
    assert torch.allclose(ours(inputs), theirs.merge_and_unload()(inputs), atol=1e-6)


def test_trainable_parameters_are_rank_times_both_sides(small):
    add_lora(small, rank=3, targets=("query",))
    assert count_trainable(small) == 3 * (12 + 20) and list(adapters(small)) == ["query"]


def test_all_layers_are_adapted_if_none_is_named_and_each_starts_elsewhere(small):
    found = add_lora(small, rank=2)
    assert list(found) == ["query", "parts.0", "parts.1"]
    assert not torch.equal(found["parts.0"].down, found["parts.1"].down)


def test_the_same_seed_gives_the_same_start(small):
    first = adapter_state(small) if add_lora(small, rank=2, seed=5) else None
    remove_lora(small)
    add_lora(small, rank=2, seed=5)
    assert all(torch.equal(first[name], value) for name, value in adapter_state(small).items())


def test_only_some_blocks_of_a_model_can_be_adapted(small):
    small.requires_grad_(False)
    assert list(add_lora(small.parts, rank=1)) == ["0", "1"]
    assert list(adapters(small)) == ["parts.0", "parts.1"]


def test_a_state_travels_to_another_copy(small, inputs):
    twin = copy.deepcopy(small)
    expected = shaken_after(small, 3)(inputs)
    add_lora(twin, rank=3, alpha=5, seed=9)
    load_adapter(twin, adapter_state(small))
    assert torch.equal(twin(inputs), expected)


def test_half_precision_and_no_bias_work():
    layer = LoraLinear(nn.Linear(8, 6, bias=False, dtype=torch.bfloat16), rank=2)
    assert layer(torch.ones(1, 8, dtype=torch.bfloat16)).dtype == torch.bfloat16 and layer.down.dtype == torch.bfloat16


def test_unmerging_restores_up_to_rounding(small):
    shaken_after(small, 2)
    before = adapters(small)["query"].base.weight.clone()
    merge(small)
    unmerge(small)
    assert torch.allclose(adapters(small)["query"].base.weight, before, atol=1e-6)


@pytest.mark.parametrize("rank", [0, -1, 13, 1.5, True])
def test_a_rank_that_cannot_be_is_named(rank):
    with pytest.raises(ValueError, match="rank from 1 to 12"):
        LoraLinear(nn.Linear(12, 20), rank)


@pytest.mark.parametrize("alpha", [0, -1, float("nan"), float("inf")])
def test_an_alpha_that_cannot_be_is_named(alpha):
    with pytest.raises(ValueError, match="alpha above 0"):
        LoraLinear(nn.Linear(12, 20), 2, alpha)


def test_only_linear_layers_are_taken():
    with pytest.raises(TypeError, match=r"torch\.nn\.Linear was expected and LayerNorm came"):
        LoraLinear(nn.LayerNorm(3), 1)


def test_wrong_orders_of_doing_things_are_sentences(small):
    for act in (merge, unmerge):
        with pytest.raises(CourseError, match="no LoRA adapters"):
            act(small)
    add_lora(small, rank=1)
    with pytest.raises(CourseError, match="adapters already"):
        add_lora(small, rank=1)
    with pytest.raises(CourseError, match="not merged"):
        unmerge(small)
    merge(small)
    with pytest.raises(CourseError, match="merged already"):
        merge(small)
    with pytest.raises(CourseError, match="merged already"), disabled(small):
        pass


def test_names_that_no_layer_has_are_named_with_those_that_are_there(small):
    with pytest.raises(CourseError, match="No linear layer is called value; this model has: 0, 1, query"):
        add_lora(small, rank=1, targets=("query", "value"))
    with pytest.raises(CourseError, match="has: none"):
        add_lora(nn.LayerNorm(4), rank=1)


def test_a_state_of_other_adapters_is_refused(small):
    other = copy.deepcopy(small)
    add_lora(small, rank=2)
    add_lora(other, rank=3)
    with pytest.raises(CourseError, match="other adapters"):
        load_adapter(small, adapter_state(other))
    with pytest.raises(CourseError, match="other adapters"):
        load_adapter(small, {})
