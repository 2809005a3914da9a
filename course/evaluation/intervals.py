"""How sure a score is, and how sure a difference (Lecture 9, experiments 5 and 6).

The bootstrap is that of :mod:`course.scoring`: word errors of utterances there, wrong answers of groups here. A *group*
holds examples that stand or fall together, such as the turns of one call; drawing single turns would count them as more
evidence than they are.

Sources: B. Efron and R. Tibshirani, An Introduction to the Bootstrap, 1993, chapters 6, 8 and 13; P. Koehn,
Statistical Significance Tests for Machine Translation Evaluation, EMNLP 2004 (the paired bootstrap); Q. McNemar, Note
on the sampling error of the difference between correlated proportions or percentages, 1947 (the sign test).
"""

from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

import numpy as np
import scipy.stats

from course.scoring import bootstrap_interval, paired_bootstrap


class Interval(NamedTuple):
    """A score or a difference, and the ends of its interval."""

    value: float
    low: float
    high: float

    def contains(self, value: float) -> bool:
        """Whether the value lies in the interval or at one of its ends."""
        return self.low <= value <= self.high

    @property
    def is_beyond_chance(self) -> bool:
        """For a difference: whether the interval leaves out 0, a score that ties."""
        return not self.contains(0.0)

    def percent(self, places: int = 1) -> str:
        """As text, "71.4 % (66.0 to 76.5)"."""
        value, low, high = (f"{100 * number:.{places}f}".replace("-", "−") for number in self)
        return f"{value} % ({low} to {high})"


def accuracy_interval(
    correct, groups: Sequence[Hashable] | None = None, n: int = 1000, level: float = 0.95, seed: int = 0
) -> Interval:
    """The share of right answers and where it would lie on other examples of the same kind.

    Args:
        correct: ``(n_examples,)`` booleans.
        groups: ``(n_examples,)``, for each example the group that it belongs to; each its own, if not given.
        n: how many times to draw.
        level: share of the draws inside the interval.
        seed: of the random numbers.

    Raises:
        ValueError: no examples, not one group for each, something else than right or wrong, or a bad level or ``n``.
    """
    wrong, sizes = _by_group(~_as_answers(correct), groups)
    low, high = bootstrap_interval(wrong, sizes, n, level, seed)
    return Interval(float(1 - wrong.sum() / sizes.sum()), 1 - high, 1 - low)


def paired_difference(
    correct_a, correct_b, groups: Sequence[Hashable] | None = None, n: int = 1000, level: float = 0.95, seed: int = 0
) -> Interval:
    """How much better ``a`` is than ``b`` on the same examples: its accuracy minus the other's.

    Each draw takes the same groups for both, so that what is hard for both cancels.

    Args:
        correct_a, correct_b: ``(n_examples,)`` booleans each, in the same order.
        groups, n, level, seed: as for :func:`accuracy_interval`.

    Raises:
        ValueError: different numbers of answers, or as for :func:`accuracy_interval`.
    """
    a, b = _as_answers(correct_a), _as_answers(correct_b)
    if a.shape != b.shape:
        raise ValueError(f"Answers of both systems to the same examples were expected; {a.size} and {b.size} came.")
    (wrong_a, sizes), (wrong_b, _) = _by_group(~a, groups), _by_group(~b, groups)
    difference, low, high = paired_bootstrap(wrong_b, wrong_a, sizes, n, level, seed)
    return Interval(difference, low, high)


def sign_test(correct_a, correct_b) -> float:
    """How often chance alone would split the disagreements at least as unevenly (McNemar's test, exact).

    Only examples that one system gets right and the other wrong count. If neither is better, each is a fair coin.

    Args:
        correct_a, correct_b: ``(n_examples,)`` booleans each, in the same order; independent examples.

    Returns:
        A two-sided p-value; 1 where the systems never disagree.

    Raises:
        ValueError: as for :func:`paired_difference`.
    """
    a, b = _as_answers(correct_a), _as_answers(correct_b)
    if a.shape != b.shape:
        raise ValueError(f"Answers of both systems to the same examples were expected; {a.size} and {b.size} came.")
    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
    return float(scipy.stats.binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0


def coverage(interval: Callable[[np.random.Generator], Interval], truth: float, repeats: int, seed: int = 0) -> float:
    """How often an interval that claims to hold the truth does hold it: the test of an interval.

    Args:
        interval: draws data of which the truth is known, and returns the interval that is made of them.
        truth: what it should hold.
        repeats: how many data sets to draw.
        seed: of the data.

    Raises:
        ValueError: fewer than one repeat.
    """
    if repeats < 1:
        raise ValueError(f"At least one repeat was expected and {repeats} came; a few hundred tell 90 % from 95 %.")
    rng = np.random.default_rng(seed)
    return float(np.mean([interval(rng).contains(truth) for _ in range(repeats)]))


def _as_answers(correct) -> np.ndarray:
    answers = np.asarray(correct)
    if answers.ndim != 1 or not answers.size or not np.isin(answers, (0, 1)).all():
        raise ValueError("One True (right) or False (wrong) for each of at least one example was expected.")
    return answers.astype(bool)


def _by_group(wrong: np.ndarray, groups: Sequence[Hashable] | None) -> tuple[np.ndarray, np.ndarray]:
    """``(n_groups,)`` wrong answers and sizes."""
    if groups is None:
        return wrong.astype(float), np.ones(wrong.size)
    if len(groups) != wrong.size:
        raise ValueError(f"A group for each of {wrong.size} examples was expected and {len(groups)} came.")
    place = {group: index for index, group in enumerate(dict.fromkeys(groups))}
    member = np.array([place[group] for group in groups])
    return np.bincount(member, wrong, len(place)), np.bincount(member, minlength=len(place)).astype(float)
