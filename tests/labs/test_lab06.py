"""Lab 6: what only this lab has: its oracles against PyTorch and tokenizers, the count of work, stand-ins."""

from pathlib import Path

import numpy as np
import pytest

from course.lab.rehearsal import reference_sources, rehearse, rehearse_task
from course.lab.source import read_lab

FOLDER = Path(__file__).parents[2] / "labs" / "lab06-language-models"


@pytest.fixture(scope="module")
def lab():
    return read_lab(FOLDER)


def test_stand_ins_spare_a_later_task_from_all_earlier_mistakes(lab):
    broken = {task: f"def {task}(*arguments):\n    return None" for task in lab.task_ids if task != "generate"}
    records = rehearse(lab, reference_sources(lab) | broken)
    assert [task for task, record in records.items() if record.passed] == ["generate"]


def test_a_loop_that_reads_the_text_again_is_told_how_much_it_read(lab):
    slow = next(wrong for wrong in lab.wrong if wrong.path.stem == "generate--no-cache")
    record = rehearse_task(lab, "generate", reference_sources(lab) | {"generate": slow.source})
    (failed,) = (one for one in record.records if not one.passed)
    assert failed.name == "reads_each_token_once"
    assert "For a text of 140 tokens your loop gave llama 2590" in failed.hint
    assert "square of the length" in failed.hint


@pytest.mark.parametrize(("n_heads", "n_kv_heads", "m", "n"), [(4, 2, 0, 5), (4, 4, 3, 1), (6, 1, 7, 4)])
def test_the_oracle_of_attention_agrees_with_pytorch(lab, n_heads, n_kv_heads, m, n):
    import torch

    rng = np.random.default_rng(m)
    queries, keys, values = (rng.normal(size=(heads, m + n, 8)) for heads in (n_heads, n_kv_heads, n_kv_heads))
    rotate, attention = lab.checks.oracles["rotate"], lab.checks.oracles["attention"]
    places = np.arange(m + n)
    turned = (torch.tensor(rotate(queries, places, 1e4)), torch.tensor(rotate(keys, places, 1e4)), torch.tensor(values))
    theirs = torch.nn.functional.scaled_dot_product_attention(*turned, is_causal=True, enable_gqa=True).numpy()
    past = attention(queries[:, :m], keys[:, :m], values[:, :m], None, 1e4)[1] if m else None
    mixed, _ = attention(queries[:, m:], keys[:, m:], values[:, m:], past, 1e4)
    np.testing.assert_allclose(mixed, theirs[:, m:], atol=1e-10)


def test_the_oracle_of_encode_agrees_with_the_tokenizers_library(lab):
    from tokenizers.models import BPE

    text = "i lost my card, my debit card; the card that i lost last night is lost"
    merges = lab.checks.oracles["train_merges"]([text], 25)
    pieces = [chr(byte) for byte in range(256)]
    for left, right in merges:
        pieces.append(pieces[left] + pieces[right])
    pairs = [(pieces[left], pieces[right]) for left, right in merges]
    library = BPE({piece: number for number, piece in enumerate(pieces)}, pairs)
    theirs = [token.id for token in library.tokenize(text)]
    assert lab.checks.oracles["encode"](text, merges) == theirs


@pytest.mark.parametrize("setting", [{"temperature": 0.5}, {"top_k": 5}, {"top_p": 0.7}, {"min_p": 0.2}])
def test_the_oracle_of_sample_agrees_with_the_lecture(lab, setting):
    import torch

    from course.language.sampling import Sampler

    settings = {"temperature": 1.0, "top_k": None, "top_p": 1.0, "min_p": 0.0} | setting
    logits = np.random.default_rng(3).normal(0, 2, 20)
    _, probs = lab.checks.oracles["sample"](logits, np.zeros(0), settings)
    theirs = Sampler(**setting).distribution(torch.tensor(logits)).numpy()
    np.testing.assert_allclose(probs, theirs, atol=1e-9)


def test_the_oracle_of_calls_agrees_with_the_lecture(lab):
    from course.language.model import CONFIGS

    config = CONFIGS["llama-8b"]
    shape = {name: getattr(config, name) for name in ("n_layers", "n_heads", "n_kv_heads", "hidden_size")}
    call_bytes, _ = lab.checks.oracles["calls_that_fit"](80, 0, shape, 2000, 0, 16)
    assert call_bytes == config.cache_bytes(2000, bytes_per_value=2)
