"""One fine-tune of SmolLM2 on dialog acts, from the same frozen prompts each time (Lecture 9, experiments 2 to 7)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from course.evaluation.classification import correct
from course.finetuning.forgetting import GENERAL_TEXTS, GeneralText
from course.finetuning.frozen import TARGETS, freeze
from course.finetuning.lora import add_lora, count_trainable
from course.finetuning.tasks import WORDS, Example
from course.finetuning.training import FULL_RATE, LORA_RATE, answers, fine_tune, unfreeze_last_layer, word_ids
from course.language.model import Llama
from course.language.pretrained import smollm, smollm_tokenizer

ACTS = tuple(WORDS)


class Tuned(NamedTuple):
    """What came out of a fine-tune.

    Attributes:
        model: with its change, unmerged.
        losses: of each step, nats a turn.
        said: the act that it gives each test turn.
        right: ``(n_test,)`` booleans.
        general_loss: nats a token on general text.
        trained: numbers that training could change.
    """

    model: Llama
    losses: list[float]
    said: list[str]
    right: np.ndarray
    general_loss: float
    trained: int


class DialogActs:
    """Training and test turns, run through all layers but the last once.

    Args:
        train, test: examples.

    Attributes:
        untrained: the act that SmolLM2 gives each test turn as it is.
        general_loss: its loss on general text as it is, nats a token.
    """

    def __init__(self, train: Sequence[Example], test: Sequence[Example]):
        self.train, self.test = tuple(train), tuple(test)
        model, tokenizer = smollm(), smollm_tokenizer()
        self.words = word_ids(tokenizer, WORDS.values())
        self.frozen = freeze(model, [tokenizer.encode(example.prompt) for example in (*train, *test)])
        self.general = GeneralText(model, [tokenizer.encode(text) for text in GENERAL_TEXTS])
        self.general_loss = self.general.loss(model)
        self.untrained = answers(model, self.frozen[len(train) :], self.words, ACTS)

    def lora(
        self, rank: int = 8, alpha: float | None = None, rate: float = LORA_RATE, seed: int = 0, leaked=None
    ) -> Tuned:
        """Train adapters beside the last layer of a fresh SmolLM2.

        Args:
            rank, alpha: as for :func:`course.finetuning.lora.add_lora`.
            rate, seed: as for :func:`course.finetuning.training.fine_tune`.
            leaked: ``(n_test,)`` booleans, test turns to train on as well; none, if not given.
        """
        model = smollm().requires_grad_(False)
        add_lora(model.layers[-1:], rank, alpha, TARGETS, seed)
        return self._tuned(model, rate, seed, leaked)

    def full(self, rate: float = FULL_RATE, seed: int = 0) -> Tuned:
        """Train the same matrices of the last layer in full."""
        model = smollm()
        unfreeze_last_layer(model)
        return self._tuned(model, rate, seed, None)

    def _tuned(self, model: Llama, rate: float, seed: int, leaked) -> Tuned:
        trained = count_trainable(model)
        test = [example.act for example in self.test]
        seen = self._training_rows(leaked)
        labels = torch.tensor([ACTS.index(example.act) for example in (*self.train, *self.test)])
        losses = fine_tune(model, self.frozen[seen], labels[seen], self.words, rate, seed=seed)
        said = answers(model, self.frozen[len(self.train) :], self.words, ACTS)
        return Tuned(model, losses, said, correct(said, test), self.general.loss(model), trained)

    def _training_rows(self, leaked) -> torch.Tensor:
        n_train, n_test = len(self.train), len(self.test)
        leaked = np.zeros(n_test, dtype=bool) if leaked is None else np.asarray(leaked, dtype=bool)
        if leaked.shape != (n_test,):
            raise ValueError(f"A True or False for each of {n_test} test turns was expected; {leaked.size} came.")
        return torch.from_numpy(np.concatenate([np.arange(n_train), n_train + np.flatnonzero(leaked)]))
