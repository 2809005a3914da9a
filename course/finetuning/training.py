"""Training the last layer of a language model to answer with the right word (Lecture 9, experiments 3 to 6).

Sources: I. Loshchilov and F. Hutter, Decoupled Weight Decay Regularization, ICLR 2019 (AdamW; no decay here, since the
change is small by construction).
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from course.errors import CourseError
from course.finetuning.frozen import TARGETS, FrozenPrompts, last_layer
from course.language.model import Llama

EPOCHS, BATCH = 6, 16
LORA_RATE, FULL_RATE = 1e-2, 1e-3  # by their results on the family "unsure", with the other training families seen
WARM_UP = 5  # steps
LONGEST_GRADIENT = 1.0  # norm above which the gradient is scaled down


def word_ids(tokenizer, words: Sequence[str]) -> Tensor:
    """The token of each word with a space in front, ``(n_words,)`` int64.

    Raises:
        CourseError: a word that takes several tokens, or two that begin alike.
    """
    tokens = [tokenizer.encode(f" {word}", add_special_tokens=False) for word in words]
    for word, pieces in zip(words, tokens, strict=True):
        if len(pieces) != 1:
            raise CourseError(f"A word of one token was expected as an answer; {word!r} takes {len(pieces)}.")
    if len({pieces[0] for pieces in tokens}) < len(words):
        raise CourseError("Every answer needs a word of its own, and two of these are the same.")
    return torch.tensor([pieces[0] for pieces in tokens])


def scores(model: Llama, frozen: FrozenPrompts, words: Tensor) -> Tensor:
    """Logits of the words as the next one, ``(n, n_words)``.

    Args:
        model: its last layer as it is now.
        frozen: the prompts.
        words: ``(n_words,)`` tokens, from :func:`word_ids`.
    """
    return last_layer(model, frozen) @ model.lm_head.weight[words].T


def unfreeze_last_layer(model: Llama) -> None:
    """Let training change the matrices of the last layer in full, those that :data:`~course.finetuning.frozen.TARGETS`
    names, and nothing else."""
    model.requires_grad_(False)
    for name, part in model.layers[-1].named_modules():
        if isinstance(part, nn.Linear) and name.rpartition(".")[2] in TARGETS:
            part.requires_grad_(True)


def fine_tune(
    model: Llama,
    frozen: FrozenPrompts,
    labels: Tensor,
    words: Tensor,
    rate: float = LORA_RATE,
    epochs: int = EPOCHS,
    seed: int = 0,
) -> list[float]:
    """Train whatever of the model's last layer is not frozen, in place, until the right word is the likeliest.

    Args:
        model: with adapters in its last layer (:func:`course.finetuning.lora.add_lora`), or with that layer unfrozen.
        frozen: the training prompts.
        labels: ``(n,)`` int64, for each prompt the place of the right word among ``words``.
        words: ``(n_words,)`` tokens.
        rate: the highest learning rate; it rises for five steps and falls along half a cosine to 0.
        epochs: how often each prompt is seen.
        seed: of their order.

    Returns:
        The loss of each step, nats a prompt.

    Raises:
        CourseError: there is nothing to train.
        ValueError: no label for each prompt, no epoch, or a rate of 0 or less.
    """
    if len(labels) != len(frozen) or epochs < 1 or not rate > 0:
        raise ValueError(
            f"A label for each of {len(frozen)} prompts, at least one epoch and a rate above 0 were expected; "
            f"{len(labels)} labels, {epochs} epochs and a rate of {rate} came."
        )
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if not trained:
        raise CourseError("Nothing of this model is to be trained. add_lora(model.layers[-1:], ...) changes that.")
    optimiser = torch.optim.AdamW(trained, rate, weight_decay=0.0)
    losses, steps = [], epochs * math.ceil(len(frozen) / BATCH)
    for rows in _batches(len(frozen), epochs, seed):
        for group in optimiser.param_groups:
            group["lr"] = rate * _share_of_rate(len(losses), steps)
        loss = nn.functional.cross_entropy(scores(model, frozen[rows], words), labels[rows])
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(trained, LONGEST_GRADIENT)
        optimiser.step()
        losses.append(float(loss.detach()))
    return losses


@torch.no_grad()
def answers(model: Llama, frozen: FrozenPrompts, words: Tensor, names: Sequence[str]) -> list[str]:
    """The name of the likeliest word for each prompt.

    Args:
        model, frozen, words: as for :func:`scores`.
        names: ``n_words`` of them, for example the acts that the words stand for.
    """
    return [names[place] for place in scores(model, frozen, words).argmax(dim=1).tolist()]


def _batches(n: int, epochs: int, seed: int):
    generator = torch.Generator().manual_seed(seed)
    for _ in range(epochs):
        yield from torch.randperm(n, generator=generator).split(BATCH)


def _share_of_rate(step: int, steps: int) -> float:
    return min(1, (step + 1) / WARM_UP) * (0.5 + 0.5 * math.cos(math.pi * step / steps))
