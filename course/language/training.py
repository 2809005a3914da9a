"""Training a small model on a stream of tokens (Lecture 7).

Sources: I. Loshchilov and F. Hutter, Decoupled Weight Decay Regularization, 2019 (AdamW), and SGDR: Stochastic Gradient
Descent with Warm Restarts, 2017 (the cosine).
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch

from course.language.model import Llama, check_length, check_tokens

WARM_UP = 0.05  # share of the steps in which the learning rate rises
LEAST_RATE = 0.1  # of the peak, at the end
WEIGHT_DECAY = 0.1  # of matrices; not of what scales single components
BETAS = (0.9, 0.95)  # as Touvron et al. 2023
LONGEST_GRADIENT = 1.0  # norm above which the gradient is scaled down


class Step(NamedTuple):
    """What one training step did.

    Attributes:
        number: from 1.
        loss: mean nats a token of its batch, before the step.
        rate: learning rate.
    """

    number: int
    loss: float
    rate: float


def train(
    model: Llama,
    tokens: Sequence[int] | torch.Tensor,
    steps: int,
    batch: int = 4,
    length: int = 96,
    peak_rate: float = 4e-3,
    seed: int = 0,
) -> list[float]:
    """Train a model, in place, to predict the next token.

    Args:
        model: any; it is left in evaluation mode.
        tokens: ``(n,)`` the training text, all of it one after the other.
        steps: batches to learn from.
        batch: stretches of the text in a batch, from random places.
        length: predictions in each.
        peak_rate: learning rate after the warm-up.
        seed: of the places.

    Returns:
        The loss of each step's batch, nats a token.

    Raises:
        TypeError: tokens that are not whole numbers.
        ValueError: steps, batch or length below 1, a rate of 0 or less, a length that the model or the text is too
            short for, or a token that is not in the vocabulary.
    """
    return [step.loss for step in training_steps(model, tokens, steps, batch, length, peak_rate, seed)]


def training_steps(
    model: Llama,
    tokens: Sequence[int] | torch.Tensor,
    steps: int,
    batch: int = 4,
    length: int = 96,
    peak_rate: float = 4e-3,
    seed: int = 0,
) -> Iterator[Step]:
    """As :func:`train`, with a report after each step, between which one can look at the model."""
    text = _training_text(model, tokens, steps, batch, length, peak_rate)
    return _train(model, text, steps, batch, length, peak_rate, seed)


def _train(model, text, steps, batch, length, peak_rate, seed) -> Iterator[Step]:
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.AdamW(parameter_groups(model), peak_rate, betas=BETAS)
    for number in range(1, steps + 1):
        rate = peak_rate * learning_rate(number, steps)
        for group in optimiser.param_groups:
            group["lr"] = rate
        model.train()
        loss = next_token_loss(model, draw(text, batch, length, generator))
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), LONGEST_GRADIENT)
        optimiser.step()
        model.eval()
        yield Step(number, float(loss.detach()), rate)


def next_token_loss(model: Llama, tokens: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy, nats a token, of every token given those before it.

    Args:
        tokens: ``(batch, length + 1)`` int64: what is predicted is each row from its second token on.
    """
    logits = model.lm_head(model.hidden(tokens[:, :-1]))
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1).float(), tokens[:, 1:].flatten())


def draw(text: torch.Tensor, batch: int, length: int, generator: torch.Generator) -> torch.Tensor:
    """Stretches of a text from random places: ``(batch, length + 1)``."""
    starts = torch.randint(len(text) - length, (batch, 1), generator=generator).to(text.device)
    return text[starts + torch.arange(length + 1, device=text.device)]


def learning_rate(number: int, steps: int) -> float:
    """Share of the peak rate at step ``number`` of ``steps``: up in a line, down along half a cosine to a tenth."""
    warm_up = max(1, round(WARM_UP * steps))
    if number <= warm_up:
        return number / warm_up
    progress = (number - warm_up) / max(1, steps - warm_up)
    return LEAST_RATE + (1 - LEAST_RATE) * 0.5 * (1 + math.cos(math.pi * progress))


def parameter_groups(model: Llama) -> list[dict]:
    """Parameters for the optimiser: matrices, which decay towards 0, and the rest, which does not."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return [
        {"params": [parameter for parameter in parameters if parameter.dim() > 1], "weight_decay": WEIGHT_DECAY},
        {"params": [parameter for parameter in parameters if parameter.dim() < 2], "weight_decay": 0.0},
    ]


def _training_text(model, tokens, steps, batch, length, peak_rate) -> torch.Tensor:
    """The text as ``(n,)`` int64 on the model's device, once everything about it is known to fit."""
    if min(steps, batch, length) < 1 or not peak_rate > 0:
        raise ValueError(
            "Steps, batch and length of 1 or more and a rate above 0 were expected; "
            f"{steps}, {batch}, {length} and {peak_rate} came."
        )
    text = torch.as_tensor(tokens).reshape(-1)
    if text.is_floating_point() or text.dtype == torch.bool:
        raise TypeError(f"Tokens were expected as whole numbers and {text.dtype} came.")
    if len(text) < length + 1:
        raise ValueError(
            f"A text of at least {length + 1} tokens was expected and {len(text)} came. Shorten the length."
        )
    check_length(length, model.config)
    for part in text.long().split(model.config.max_positions):
        check_tokens(part.unsqueeze(0), model.config)
    return text.long().to(model.norm.weight.device)
