"""The longer run of Lecture 9: each way of speaking held out once, with every label of the other five.

``python -m course.finetuning`` makes it again; the lecture shows the record that it wrote.
"""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from course.evaluation.classification import BagOfWords, Majority, correct
from course.evaluation.intervals import Interval, accuracy_interval, paired_difference
from course.finetuning.frozen import TARGETS, FrozenPrompts, freeze
from course.finetuning.lora import add_lora, remove_lora
from course.finetuning.tasks import WORDS, Example, act_examples, draw, split_by_family
from course.finetuning.training import answers, fine_tune, word_ids
from course.language.calls import families, made_up_calls
from course.language.model import Llama
from course.language.pretrained import smollm, smollm_tokenizer
from course.storage import write_atomic

RANK, EPOCHS, SEED = 8, 4, 9


def six_families(n_calls: int, most: int | None, say: Callable[[str], None]) -> dict:
    """Hold out each family once; train LoRA, a bag of words and the majority on the rest, and pool what they get right.

    Args:
        n_calls: made-up calls to take turns from.
        most: turns to keep at most, drawn at random; None keeps all.
        say: is given a line for each family.

    Returns:
        A record: settings, the accuracy of each system with its interval, LoRA against each other, and every family's.
    """
    start = time.process_time()
    examples = act_examples(made_up_calls(n_calls, SEED))
    examples = examples if most is None else draw(examples, min(most, len(examples)))
    model, tokenizer = smollm(), smollm_tokenizer()
    words = word_ids(tokenizer, WORDS.values())
    frozen = freeze(model, [tokenizer.encode(example.prompt) for example in examples])
    right = {name: np.zeros(len(examples), dtype=bool) for name in ("lora", "bag of words", "majority", "untrained")}
    right["untrained"] = correct(answers(model, frozen, words, list(WORDS)), [example.act for example in examples])
    for family in families():
        _hold_out(family, examples, model, frozen, words, right)
        say(_line(family, examples, right))
    return _record(examples, right, n_calls, time.process_time() - start)


def write_record(record: dict, path: Path) -> None:
    """As JSON, whole or not at all."""
    write_atomic(path, json.dumps(record, indent=1) + "\n")


def read_record(path: Path) -> dict:
    """As :func:`six_families` returned it, with its intervals as :class:`~course.evaluation.intervals.Interval`."""
    record = json.loads(Path(path).read_text(encoding="utf-8"))
    for part in ("accuracy", "lora against"):
        record[part] = {name: Interval(*ends) for name, ends in record[part].items()}
    return record


def _hold_out(family: str, examples: Sequence[Example], model: Llama, frozen: FrozenPrompts, words, right) -> None:
    train, test = split_by_family(examples, [family])
    is_test = np.array([example.family == family for example in examples])
    acts, expected = list(WORDS), [example.act for example in test]
    labels = torch.tensor([acts.index(example.act) for example in train])
    add_lora(model.layers[-1:], RANK, targets=TARGETS, seed=SEED)
    fine_tune(model, frozen[torch.from_numpy(~is_test)], labels, words, epochs=EPOCHS, seed=SEED)
    right["lora"][is_test] = correct(answers(model, frozen[torch.from_numpy(is_test)], words, acts), expected)
    remove_lora(model)
    texts, known = [example.text for example in train], [example.act for example in train]
    for name, system in (("bag of words", BagOfWords(texts, known)), ("majority", Majority(known))):
        right[name][is_test] = correct(system.predict([example.text for example in test]), expected)


def _line(family: str, examples: Sequence[Example], right: dict) -> str:
    here = np.array([example.family == family for example in examples])
    return f"{family}: " + ", ".join(f"{name} {100 * answers[here].mean():.1f} %" for name, answers in right.items())


def _record(examples: Sequence[Example], right: dict, n_calls: int, cpu_seconds: float) -> dict:
    groups = [example.group for example in examples]
    shares = {
        family: {name: float(np.mean(a[[e.family == family for e in examples]])) for name, a in right.items()}
        for family in families()
    }
    others = [name for name in right if name != "lora"]
    return {
        "settings": {"calls": n_calls, "turns": len(examples), "rank": RANK, "epochs": EPOCHS, "seed": SEED},
        "accuracy": {name: accuracy_interval(answers, groups) for name, answers in right.items()},
        "lora against": {name: paired_difference(right["lora"], right[name], groups) for name in others},
        "families": shares,
        "cpu_seconds": round(cpu_seconds, 1),
    }
