"""Calibration: of the tokens that a model is 80 % sure of, are 80 % right? (Lecture 7)

Source: C. Guo et al., On Calibration of Modern Neural Networks, 2017, section 2.
"""

from dataclasses import dataclass

import numpy as np
import torch

from course.language.generation import Tokens, as_prompt
from course.language.model import Llama
from course.language.sampling import softmax


@dataclass(frozen=True)
class Calibration:
    """Predictions sorted into bins by how sure they were.

    Attributes:
        edges: ``(n_bins + 1,)`` from 0 to 1.
        count: ``(n_bins,)`` predictions in each bin.
        confidence: ``(n_bins,)`` mean probability that was claimed; NaN in an empty bin.
        accuracy: ``(n_bins,)`` share that was right; NaN in an empty bin.
    """

    edges: np.ndarray
    count: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray

    @property
    def expected_error(self) -> float:
        """Expected calibration error: the mean distance of accuracy and confidence, each bin by its predictions."""
        filled = self.count > 0
        gaps = np.abs(self.accuracy - self.confidence)[filled]
        return float(gaps @ self.count[filled] / self.count.sum())


def calibration(confidences, correct, n_bins: int = 10) -> Calibration:
    """Bins of equal width; a confidence on an edge belongs to the bin above, that of 1 to the last.

    Args:
        confidences: ``(n,)`` probabilities that the predictions were given.
        correct: ``(n,)`` whether each was right: bool, or 0 and 1.
        n_bins: 1 or more.

    Raises:
        ValueError: no predictions, another number of outcomes, a probability outside 0 to 1, an outcome that is
            neither 0 nor 1, or fewer than 1 bin.
    """
    confidences, correct = np.asarray(confidences, dtype=float), np.asarray(correct, dtype=float)
    if confidences.ndim != 1 or confidences.shape != correct.shape or not confidences.size or n_bins < 1:
        raise ValueError(
            "As many confidences as outcomes, at least one, and one bin or more were expected; "
            f"{confidences.shape}, {correct.shape} and {n_bins} bins came."
        )
    if not ((confidences >= 0) & (confidences <= 1)).all() or not np.isin(correct, (0, 1)).all():
        raise ValueError("Confidences from 0 to 1 and outcomes of 0 or 1 were expected. Are they percentages?")
    edges = np.linspace(0, 1, n_bins + 1)
    bins = np.minimum(np.searchsorted(edges, confidences, side="right") - 1, n_bins - 1)
    count = np.bincount(bins, minlength=n_bins)
    with np.errstate(invalid="ignore"):  # 0 / 0 is NaN: an empty bin has no mean
        confidence = np.bincount(bins, confidences, n_bins) / count
        accuracy = np.bincount(bins, correct, n_bins) / count
    return Calibration(edges, count, confidence, accuracy)


@torch.no_grad()
def next_token_confidences(model: Llama, tokens: Tokens, temperature: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """At each token of a text: how sure the model was of its likeliest next token, and whether that came.

    Args:
        model: any.
        tokens: 2 or more.
        temperature: the logits are divided by it; above 1 makes a model less sure and changes no prediction.

    Returns:
        ``(n - 1,)`` float64 confidences, ``(n - 1,)`` bool.

    Raises:
        TypeError, ValueError: tokens as for :func:`course.language.likelihood.token_log_probs`; a temperature that is
            not above 0.
    """
    text = as_prompt(tokens, model)
    if text.shape[1] < 2:
        raise ValueError("At least 2 tokens were expected, the first as context, and 1 came.")
    confidences, likeliest = softmax(model(text[:, :-1])[0], temperature).max(-1)
    return confidences.double().cpu().numpy(), (likeliest == text[0, 1:]).cpu().numpy()
