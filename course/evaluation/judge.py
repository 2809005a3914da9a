"""A language model as a judge of texts, and the test whether it judges the texts or their places (Lecture 9).

A judge sees two texts, the first under "A" and the second under "B", and says how strongly it prefers what it saw
first, in log-odds: above 0 for the first, below for the second. A judge that cares for the texts alone changes its sign
when they change places.

Sources: L. Zheng et al., Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena, NeurIPS 2023 (position and verbosity
bias, the swap); P. Wang et al., Large Language Models are not Fair Evaluators, ACL 2024.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from course.evaluation.intervals import Interval, accuracy_interval


class Pair(NamedTuple):
    """What a judge is asked about: a document, and two texts about it of which ``good`` is known to be the better."""

    document: str
    good: str
    poor: str


Judge = Callable[[Sequence[tuple[str, str, str]]], np.ndarray]
"""From (document, shown first, shown second), ``(n,)`` of them, to ``(n,)`` log-odds for what was shown first."""


@dataclass(frozen=True)
class SwapTest:
    """Every pair judged twice, the second time in the other order.

    Attributes:
        good_first: ``(n_pairs,)`` log-odds for what was shown first, when that was the better text.
        poor_first: the same, when it was the poorer.
    """

    good_first: np.ndarray
    poor_first: np.ndarray

    @property
    def position_bias(self) -> np.ndarray:
        """``(n_pairs,)`` log-odds for the first place, whatever stands there."""
        return (self.good_first + self.poor_first) / 2

    @property
    def preference(self) -> np.ndarray:
        """``(n_pairs,)`` log-odds for the better text, with the place taken out."""
        return (self.good_first - self.poor_first) / 2

    @property
    def first_share(self) -> float:
        """Share of all verdicts that went to what was shown first; 0.5 for a fair judge, as each text is first once."""
        return float(np.concatenate([self.good_first > 0, self.poor_first > 0]).mean())

    @property
    def consistent(self) -> np.ndarray:
        """``(n_pairs,)`` booleans: the same text won in both orders."""
        return (self.good_first > 0) != (self.poor_first > 0)

    def one_order(self) -> Interval:
        """How often the better text wins when it is always shown first: what a careless evaluation reports."""
        return accuracy_interval(self.good_first > 0)

    def both_orders(self) -> Interval:
        """How often the better text wins once the place is taken out."""
        return accuracy_interval(self.preference > 0)


def swap_test(judge: Judge, pairs: Sequence[Pair]) -> SwapTest:
    """Ask a judge about every pair in both orders.

    Raises:
        ValueError: no pairs, or the judge does not answer with one finite number for each.
    """
    if not pairs:
        raise ValueError("At least one pair of texts was expected to judge, and none came.")
    asked = [(pair.document, pair.good, pair.poor) for pair in pairs]
    swapped = [(document, poor, good) for document, good, poor in asked]
    answers = np.asarray(judge([*asked, *swapped]), dtype=float)
    if answers.shape != (2 * len(pairs),) or not np.isfinite(answers).all():
        raise ValueError(
            f"One finite number of log-odds was expected for each of {2 * len(pairs)} questions; the judge gave "
            f"an array of shape {answers.shape}."
        )
    return SwapTest(answers[: len(pairs)], answers[len(pairs) :])


def biased_judge(position: float, length: float, skill: float) -> Judge:
    """A judge of known faults, to test the test with.

    Args:
        position: log-odds that it adds for the first place.
        length: log-odds that it adds for each word that a text has more than the other.
        skill: log-odds that it adds for each word of the document that a text repeats more than the other.
    """

    def judge(questions: Sequence[tuple[str, str, str]]) -> np.ndarray:
        return np.array([position + _worth(d, a, length, skill) - _worth(d, b, length, skill) for d, a, b in questions])

    return judge


def _worth(document: str, text: str, length: float, skill: float) -> float:
    words = text.lower().split()
    return length * len(words) + skill * len(set(words) & set(document.lower().split()))
