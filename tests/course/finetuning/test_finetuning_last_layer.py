"""Frozen prompts are the whole model's work; training changes only what it may; forgetting; on a tiny random model."""

import copy

import pytest
import torch

from course.errors import CourseError
from course.evaluation.prompts import Wording, content_free, spread, word_log_probs
from course.finetuning.forgetting import GeneralText
from course.finetuning.frozen import TARGETS, freeze, last_layer
from course.finetuning.lora import add_lora, disabled, merge
from course.finetuning.swapping import swap_damage
from course.finetuning.training import answers, fine_tune, scores, unfreeze_last_layer, word_ids
from course.language.model import LlamaConfig, random_llama

CONFIG = LlamaConfig(64, hidden_size=32, n_layers=3, n_heads=4, n_kv_heads=2, intermediate_size=48)
NAMES = ("a", "b", "c")


class Letters:
    """A tokenizer of single characters; a space with the next character is one token."""

    def encode(self, text, add_special_tokens=False):
        """One token for a space with a letter behind it, one for any other character."""
        if len(text) == 2 and text[0] == " ":
            return [32 + ord(text[1]) % 32]
        return [ord(character) % 32 for character in text]


@pytest.fixture
def model():
    return random_llama(CONFIG, seed=3)


@pytest.fixture
def prompts():
    generator = torch.Generator().manual_seed(4)
    return [torch.randint(64, (n,), generator=generator).tolist() for n in (5, 1, 9, 3, 3, 7)]


@pytest.fixture
def words():
    return torch.tensor([40, 41, 42])


@torch.no_grad()
def whole(model, prompt):
    return model.hidden(torch.tensor([prompt]))[0, -1]


def shaken(model):
    found = add_lora(model.layers[-1:], 4, targets=TARGETS)
    for adapter in found.values():
        adapter.up.data.normal_(0, 0.2, generator=torch.Generator().manual_seed(5))
    return model


@pytest.mark.parametrize("batch", [1, 4, 32])
def test_frozen_prompts_give_what_the_whole_model_gives(model, prompts, batch):
    found = last_layer(model, freeze(model, prompts, batch))
    for row, prompt in zip(found, prompts, strict=True):
        assert torch.allclose(row, whole(model, prompt), atol=1e-5)


def test_they_stay_right_when_the_last_layer_changes_beside_or_merged(model, prompts):
    frozen = freeze(model, prompts)
    shaken(model)
    beside = last_layer(model, frozen)
    assert torch.allclose(beside, torch.stack([whole(model, prompt) for prompt in prompts]), atol=1e-5)
    merge(model)
    assert torch.allclose(last_layer(model, frozen), beside, atol=1e-5)
    assert torch.allclose(torch.stack([whole(model, prompt) for prompt in prompts]), beside, atol=1e-5)


def test_some_of_the_prompts_are_those_rows(model, prompts):
    frozen = freeze(model, prompts)
    rows = torch.tensor([4, 0])
    found = last_layer(model, frozen[rows])
    assert len(frozen[rows]) == 2 and torch.allclose(found, last_layer(model, frozen)[rows], atol=1e-6)


def test_scores_are_the_logits_of_the_words(model, prompts, words):
    expected = model.next_logits(torch.tensor([prompts[2]]))[0, words]
    assert torch.allclose(scores(model, freeze(model, prompts), words)[2], expected, atol=1e-5)


def test_training_learns_its_labels_and_leaves_the_base_alone(model, prompts, words):
    base, frozen = copy.deepcopy(model.state_dict()), freeze(model, prompts)
    add_lora(model.requires_grad_(False).layers[-1:], 4, targets=TARGETS)
    losses = fine_tune(model, frozen, torch.tensor([0, 1, 2, 0, 1, 2]), words, rate=0.02, epochs=200)
    # The words' vectors have a length of 0.1, and so no answer of this model can be surer than a loss of about 0.5.
    assert len(losses) == 200 and losses[-1] < 0.65 < 1.0 < losses[0]
    assert answers(model, frozen, words, NAMES) == list("abcabc")
    now = {name.replace("base.", ""): value for name, value in model.state_dict().items()}
    assert all(torch.equal(now[name], value) for name, value in base.items())


def test_a_full_fine_tune_changes_five_matrices_of_the_last_layer(model, prompts, words):
    base, frozen = copy.deepcopy(model.state_dict()), freeze(model, prompts)
    unfreeze_last_layer(model)
    fine_tune(model, frozen, torch.tensor([0, 1, 2, 0, 1, 2]), words, rate=0.01)
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, base[name])}
    assert {name.split(".")[-2] for name in changed} == set(TARGETS) and all(
        name.startswith("layers.2.") for name in changed
    )


def test_the_same_seed_trains_the_same(model, prompts, words):
    def run(seed):
        twin = copy.deepcopy(model).requires_grad_(False)
        add_lora(twin.layers[-1:], 2, targets=TARGETS, seed=seed)
        return fine_tune(twin, freeze(twin, prompts), torch.tensor([0, 1, 2, 0, 1, 2]), words, seed=seed)

    assert run(1) == run(1) != run(2)


def test_general_text_is_the_whole_model_and_comes_back_when_the_adapter_is_off(model, prompts):
    long = [prompt for prompt in prompts if len(prompt) > 1]
    general = GeneralText(model, long)
    before = general.loss(model)
    expected = [
        torch.nn.functional.cross_entropy(model(torch.tensor([p]))[0, :-1], torch.tensor(p[1:]), reduction="none")
        for p in long
    ]
    assert before == pytest.approx(torch.cat(expected).mean().item(), abs=1e-5)
    shaken(model)
    assert general.loss(model) != before
    with disabled(model):
        assert general.loss(model) == before


def test_a_shared_beginning_is_read_once_and_changes_nothing(model):
    texts = ["bcd", "e", "fgfgfg"]
    for before in ("", "abca"):
        found = word_log_probs(model, Letters(), Wording("w", before, "z"), texts, NAMES, batch=2)
        for row, text in zip(found, texts, strict=True):
            logits = model.next_logits(torch.tensor([Letters().encode(before + text + "z")]))[0]
            expected = logits.log_softmax(-1)[word_ids(Letters(), NAMES)]
            assert torch.allclose(torch.tensor(row).float(), expected, atol=1e-4)


def test_content_free_asks_about_nothing(model):
    wording = Wording("w", "ab", "z")
    free = content_free(model, Letters(), wording, NAMES, empty="q")
    assert (free == word_log_probs(model, Letters(), wording, ["q"], NAMES)[0]).all()


def test_swapping_damages_more_in_fewer_digits():
    weight = torch.randn(24, 16, generator=torch.Generator().manual_seed(1))
    fine, coarse = (swap_damage(weight.to(kind), 30, 2) for kind in (torch.float32, torch.bfloat16))
    assert len(fine) == 30 and fine[-1] < 1e-5 < 1e-3 < coarse[0] < coarse[-1]
    for bad in ({"swaps": 0, "rank": 1}, {"swaps": 1, "rank": 0}, {"swaps": 1, "rank": 1, "size": 0}):
        with pytest.raises(ValueError, match="At least one swap"):
            swap_damage(weight, **bad)


def test_bad_input_is_a_sentence(model, prompts, words):
    for bad in ([], [[1], []]):
        with pytest.raises(ValueError, match="At least one prompt"):
            freeze(model, bad)
    with pytest.raises(ValueError, match="64 came|63 were expected"):
        freeze(model, [[64]])
    frozen = freeze(model, prompts)
    with pytest.raises(ValueError, match="A label for each of 6 prompts"):
        fine_tune(model, frozen, torch.tensor([0]), words)
    with pytest.raises(CourseError, match="Nothing of this model"):
        fine_tune(model.requires_grad_(False), frozen, torch.zeros(6, dtype=torch.int64), words)
    with pytest.raises(CourseError, match="'long' takes 5"):
        word_ids(Letters(), ["long"])
    with pytest.raises(CourseError, match="two of these are the same"):
        word_ids(Letters(), ["a", "a"])
    with pytest.raises(ValueError, match="at least two tokens"):
        GeneralText(model, [[1]])
    with pytest.raises(ValueError, match="At least one text"):
        word_log_probs(model, Letters(), Wording("w", "", ""), [], NAMES)
    with pytest.raises(CourseError, match="takes 5"):
        word_log_probs(model, Letters(), Wording("w", "", ""), ["x"], ["long"])
    with pytest.raises(ValueError, match="at least two wordings"):
        spread([0.5])
    assert spread([0.1, 0.4, 0.2]) == pytest.approx(0.3)
