"""From scores to a token: distributions that one can see, filters on them, and the draw (Lecture 7).

Distributions are tensors whose last dimension is the vocabulary; whatever comes before it is a batch. Each filter takes
a distribution and returns one that sums to 1 again.

Sources: A. Fan, M. Lewis and Y. Dauphin, Hierarchical Neural Story Generation, 2018 (top-k); A. Holtzman et al., The
Curious Case of Neural Text Degeneration, 2020 (top-p); M. N. Nguyen et al., Turning Up the Heat: Min-p Sampling for
Creative and Coherent LLM Outputs, 2024 (min-p).
"""

from dataclasses import dataclass

import torch


def softmax(logits: torch.Tensor, temperature: float = 1.0) -> torch.Tensor:
    """Scores to probabilities; below 1 the temperature sharpens the distribution, above 1 it flattens it.

    Args:
        logits: ``(..., vocab_size)`` real; -inf is a token that never comes.
        temperature: what the scores are divided by, above 0.

    Returns:
        ``(..., vocab_size)``, in float32 where the scores have fewer bits.

    Raises:
        TypeError: scores that are not floating-point numbers.
        ValueError: a temperature of 0 or less, no scores, NaN, or no score above -inf.
    """
    if not 0 < temperature < float("inf"):
        raise ValueError(
            f"A temperature above 0 was expected and {temperature} came. For the likeliest token take greedy."
        )
    _check_logits(logits)
    exact = logits if logits.dtype == torch.float64 else logits.float()
    shifted = exact - exact.amax(-1, keepdim=True)  # before the division, which could overflow
    return (shifted / temperature).softmax(-1)


def keep_top_k(probs: torch.Tensor, k: int) -> torch.Tensor:
    """Keep the ``k`` likeliest tokens. Of equally likely ones at the border the lower numbers are kept.

    Args:
        probs: ``(..., vocab_size)``.
        k: 1 or more; as many as there are tokens, or more, keeps all.

    Raises:
        ValueError: ``k`` below 1 or not a whole number.
    """
    if not isinstance(k, int) or k < 1:
        raise ValueError(f"A whole number of 1 or more tokens to keep was expected and k = {k} came.")
    order = probs.argsort(dim=-1, descending=True, stable=True)
    ranks = torch.arange(probs.shape[-1], device=probs.device).expand_as(order)
    return _renormalised(probs, torch.zeros_like(order).scatter(-1, order, ranks) < k)


def keep_top_p(probs: torch.Tensor, p: float) -> torch.Tensor:
    """Keep the likeliest tokens until together they have a probability of at least ``p``, and no token more.

    The likeliest is always kept. Of equally likely tokens at the border the lower numbers are kept.

    Args:
        probs: ``(..., vocab_size)``.
        p: above 0, at most 1, which keeps all.

    Raises:
        ValueError: ``p`` out of its range.
    """
    if not 0 < p <= 1:
        raise ValueError(f"A share above 0 and at most 1 was expected and p = {p} came.")
    if p == 1:
        return _renormalised(probs, torch.ones_like(probs, dtype=torch.bool))
    likeliest, order = probs.double().sort(dim=-1, descending=True, stable=True)
    before = likeliest.cumsum(-1) - likeliest  # probability of all that are likelier
    return _renormalised(probs, torch.zeros_like(order, dtype=torch.bool).scatter(-1, order, before < p))


def keep_min_p(probs: torch.Tensor, m: float) -> torch.Tensor:
    """Keep the tokens that are at least ``m`` times as likely as the likeliest one.

    Args:
        probs: ``(..., vocab_size)``.
        m: from 0, which keeps all, to 1, which keeps the likeliest and those equally likely.

    Raises:
        ValueError: ``m`` out of its range.
    """
    if not 0 <= m <= 1:
        raise ValueError(f"A share from 0 to 1 was expected and m = {m} came.")
    return _renormalised(probs, probs >= m * probs.amax(-1, keepdim=True))


def sample(probs: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
    """Draw one token from each distribution.

    Args:
        probs: ``(..., vocab_size)``; they need not sum to exactly 1.
        generator: of the random numbers, on the same device; the same seed draws the same tokens.

    Returns:
        ``(...)`` int64.

    Raises:
        ValueError: probabilities that are negative, NaN or infinite, or that sum to 0.
    """
    if not (torch.isfinite(probs).all() and (probs >= 0).all() and (probs.sum(-1) > 0).all()):
        raise ValueError("Probabilities of 0 or more with a sum above 0 were expected. Did the logits hold NaN?")
    rows = probs.reshape(-1, probs.shape[-1])
    return torch.multinomial(rows, 1, generator=generator).reshape(probs.shape[:-1])


def greedy(logits: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
    """The likeliest token, without chance: ``(..., vocab_size)`` to ``(...)`` int64; of equals the lowest number.

    Raises:
        TypeError, ValueError: as :func:`softmax`.
    """
    _check_logits(logits)
    return logits.argmax(-1)


@dataclass(frozen=True)
class Sampler:
    """Temperature, then top-k, then top-p, then min-p, then the draw: the order that transformers has.

    Attributes:
        temperature: see :func:`softmax`.
        top_k, top_p, min_p: of the filters; None leaves one out.

    Raises:
        ValueError: at once, for a value that its filter refuses.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None

    def __post_init__(self):
        self.distribution(torch.zeros(2))

    def distribution(self, logits: torch.Tensor) -> torch.Tensor:
        """What is drawn from: ``(..., vocab_size)`` scores to probabilities."""
        probs = softmax(logits, self.temperature)
        if self.top_k is not None:
            probs = keep_top_k(probs, self.top_k)
        if self.top_p is not None:
            probs = keep_top_p(probs, self.top_p)
        if self.min_p is not None:
            probs = keep_min_p(probs, self.min_p)
        return probs

    def __call__(self, logits: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
        """``(..., vocab_size)`` scores to ``(...)`` tokens."""
        return sample(self.distribution(logits), generator)


def _renormalised(probs: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
    left = probs * kept
    return left / left.sum(-1, keepdim=True)


def _check_logits(logits: torch.Tensor) -> None:
    if not logits.is_floating_point():
        raise TypeError(f"Scores were expected as floating-point numbers and {logits.dtype} came.")
    if not logits.numel() or logits.isnan().any() or not logits.amax(-1).isfinite().all():
        raise ValueError("At least one finite score, none of them NaN or +inf, was expected for each distribution.")
