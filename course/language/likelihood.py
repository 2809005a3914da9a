"""How well a model expects a text: log probabilities of its tokens, perplexity, bits per byte (Lecture 7; Lecture 9).

Perplexities of models with different tokenizers cannot be compared, because their tokens are of different length; bits
per byte can.

Source: F. Jelinek, R. L. Mercer, L. R. Bahl and J. K. Baker, Perplexity: a Measure of the Difficulty of Speech
Recognition Tasks, 1977.
"""

import numpy as np
import torch

from course.language.generation import Tokens, as_prompt
from course.language.model import Llama

BATCH_TOKENS = 1024  # predictions in a batch: logits of so many take 0.2 GB with a vocabulary of 49,152


def token_log_probs(model: Llama, tokens: Tokens, window: int | None = None) -> np.ndarray:
    """Natural logarithm of the probability of each token but the first, given those before it.

    Args:
        model: any.
        tokens: 2 or more.
        window: cut the text into stretches of so many predictions and forget what came before each, for a text longer
            than the model's ``max_positions``; the first tokens of a stretch then look less likely than they are. None
            reads the text as a whole.

    Returns:
        ``(n - 1,)`` float64.

    Raises:
        TypeError: tokens that are not whole numbers.
        ValueError: fewer than 2, one that is not in the vocabulary, a window below 1, or more than the model can take.
    """
    read = [as_prompt(tokens, model)] if window is None else _windows(model, tokens, window)
    if read[0].shape[1] < 2:
        raise ValueError(f"At least 2 tokens were expected, the first as context, and {read[0].shape[1]} came.")
    return np.concatenate([_of_rows(model, rows) for rows in read])


def _windows(model: Llama, tokens: Tokens, window: int) -> list[torch.Tensor]:
    """Batches of stretches, ``(rows, window + 1)``; each stretch begins with the last token of the one before."""
    if window < 1:
        raise ValueError(f"A window of 1 token or more was expected and {window} came.")
    text = torch.as_tensor(tokens).reshape(-1)
    n_whole = (len(text) - 1) // window
    whole = [text[start * window : (start + 1) * window + 1] for start in range(n_whole)]
    rows = max(1, BATCH_TOKENS // window)
    batches = [torch.stack(whole[first : first + rows]) for first in range(0, n_whole, rows)]
    rest = text[n_whole * window :]
    if len(rest) > 1 or not batches:
        batches.append(rest.reshape(1, -1))
    return batches


@torch.no_grad()
def _of_rows(model: Llama, rows: torch.Tensor) -> np.ndarray:
    rows = rows.to(model.norm.weight.device)
    logits = model(rows[:, :-1]).flatten(0, 1).float()
    losses = torch.nn.functional.cross_entropy(logits, rows[:, 1:].flatten(), reduction="none")
    return -losses.double().cpu().numpy()


def perplexity(log_probs) -> float:
    """Between how many equally likely tokens the model hesitates: exp of the mean negative log probability.

    Args:
        log_probs: ``(n,)`` natural logarithms, from :func:`token_log_probs`.

    Raises:
        ValueError: none, or one above 0 or NaN.
    """
    return float(np.exp(-np.mean(_checked(log_probs))))


def bits_per_byte(log_probs, n_bytes: int) -> float:
    """How long the text would be, compressed with this model: bits for each byte of it.

    Args:
        log_probs: ``(n,)`` natural logarithms, from :func:`token_log_probs`.
        n_bytes: of the predicted text in UTF-8: without what the first token spells.

    Raises:
        ValueError: as :func:`perplexity`, or fewer than 1 byte.
    """
    if n_bytes < 1:
        raise ValueError(f"A text of 1 byte or more was expected and {n_bytes} came.")
    return float(-np.sum(_checked(log_probs)) / np.log(2) / n_bytes)


def _checked(log_probs) -> np.ndarray:
    values = np.asarray(log_probs, dtype=float)
    if values.ndim != 1 or not values.size or not (values <= 0).all():
        raise ValueError("One or more log probabilities, none above 0 and none NaN, were expected.")
    return values
