"""Asking a language model without training it: words as answers, and how much the wording decides (Lecture 9).

Sources: T. Brown et al., Language Models are Few-Shot Learners, 2020 (examples in the prompt); Z. Zhao et al.,
Calibrate Before Use: Improving Few-shot Performance of Language Models, ICML 2021 (the content-free input);
M. Sclar et al., Quantifying Language Models' Sensitivity to Spurious Features in Prompt Design, ICLR 2024.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from course.errors import CourseError
from course.language.cache import GrowingCache
from course.language.model import Llama


class Wording(NamedTuple):
    """A way to ask: what stands before the text and what behind it; the answer is the next word."""

    name: str
    before: str
    after: str


@torch.no_grad()
def word_log_probs(
    model: Llama, tokenizer, wording: Wording, texts: Sequence[str], words: Sequence[str], batch: int = 32
) -> np.ndarray:
    """Natural log-probability of each word as the next one, ``(n_texts, n_words)``.

    What stands before every text is read once, and its keys and values are shared (Lecture 7).

    Args:
        model, tokenizer: that belong together.
        wording: how to ask.
        texts: what is asked about.
        words: the answers, each of one token when a space stands in front.
        batch: texts at a time; they are sorted by length, so that little is padded.

    Raises:
        CourseError: a word that is not one token.
        ValueError: no texts, or no words.
    """
    if not len(texts) or not len(words):
        raise ValueError(f"At least one text and one word were expected; {len(texts)} and {len(words)} came.")
    ids = [_single_token(tokenizer, word) for word in words]
    shared = _read(model, tokenizer.encode(wording.before, add_special_tokens=False)) if wording.before else None
    rows = [tokenizer.encode(text + wording.after, add_special_tokens=False) for text in texts]
    order = sorted(range(len(rows)), key=lambda row: len(rows[row]))
    found = np.empty((len(texts), len(words)))
    for start in range(0, len(order), batch):
        some = order[start : start + batch]
        found[some] = _next_word(model, [rows[row] for row in some], shared)[:, ids].double().numpy()
    return found


def content_free(model: Llama, tokenizer, wording: Wording, words: Sequence[str], empty: str = "N/A") -> np.ndarray:
    """What the wording alone makes the model say: :func:`word_log_probs` of a text that says nothing, ``(n_words,)``.

    To subtract it is contextual calibration (Zhao et al. 2021).
    """
    return word_log_probs(model, tokenizer, wording, [empty], words)[0]


def spread(accuracies: Sequence[float]) -> float:
    """The best wording's accuracy minus the worst one's.

    Raises:
        ValueError: fewer than two.
    """
    if len(accuracies) < 2:
        raise ValueError(f"The accuracies of at least two wordings were expected and {len(accuracies)} came.")
    return float(max(accuracies) - min(accuracies))


def _single_token(tokenizer, word: str) -> int:
    tokens = tokenizer.encode(f" {word}", add_special_tokens=False)
    if len(tokens) != 1:
        raise CourseError(f"A word of one token was expected as an answer; {word!r} takes {len(tokens)}.")
    return tokens[0]


def _read(model: Llama, tokens: list[int]) -> GrowingCache:
    cache = GrowingCache()
    model.hidden(torch.tensor([tokens]), cache)
    return cache


def _next_word(model: Llama, rows: list[list[int]], shared: GrowingCache | None) -> torch.Tensor:
    """``(n_rows, vocab_size)`` log-probabilities of the token after each row's last."""
    lengths = torch.tensor([len(row) for row in rows])
    longest = int(lengths.max())
    tokens = torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows])
    hidden = model.hidden(tokens, None if shared is None else _copies(shared, len(rows)))
    return model.lm_head(hidden[torch.arange(len(rows)), lengths - 1]).log_softmax(dim=-1)


def _copies(shared: GrowingCache, n: int) -> GrowingCache:
    cache = GrowingCache()
    cache.keys, cache.values = list(shared.keys), list(shared.values)
    cache.select(torch.zeros(n, dtype=torch.int64))
    return cache
