"""Test examples that training has seen: planted, found by the words that they share, and priced (Lecture 9).

Two texts share an *n-gram* if the same n words follow one another in both. A sentence of which nearly all n-grams occur
in the training texts has been copied, perhaps with a word or two changed.

Sources: T. Brown et al., Language Models are Few-Shot Learners, 2020, section 4 and appendix C (13-gram overlap);
K. Lee et al., Deduplicating Training Data Makes Language Models Better, ACL 2022.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from course.scoring import normalise


def ngrams(text: str, n: int) -> set[tuple[str, ...]]:
    """All runs of n words of a text, as :func:`course.scoring.normalise` writes them.

    A text of fewer than n words is one run: all of it. A text without words has none.

    Raises:
        ValueError: ``n`` is below 1.
    """
    if n < 1:
        raise ValueError(f"Runs of at least one word were expected and {n} came.")
    words = normalise(text).split()
    return {tuple(words[start : start + n]) for start in range(max(len(words) - n, 0) + 1)} if words else set()


class OverlapIndex:
    """The n-grams of the training texts, to be asked how much of another text is among them.

    Args:
        texts: what was trained on.
        n: words in a run. Short runs are shared by chance, long ones are broken by a single changed word.
    """

    def __init__(self, texts: Iterable[str], n: int = 4):
        self.n = n
        self.seen = {run for text in texts for run in ngrams(text, n)}

    def share(self, text: str) -> float:
        """How many of the text's n-grams occur in the training texts, 0 to 1; 0 for a text without words."""
        runs = ngrams(text, self.n)
        return len(runs & self.seen) / len(runs) if runs else 0.0

    def shares(self, texts: Iterable[str]) -> np.ndarray:
        """``(n_texts,)`` of :meth:`share`."""
        return np.array([self.share(text) for text in texts], dtype=float)


def plant(train: Sequence, test: Sequence, share: float, seed: int = 0) -> tuple[tuple, np.ndarray]:
    """Copy some test examples into the training set, in places drawn at random.

    Args:
        train, test: examples of any kind.
        share: of the test examples to leak, 0 to 1.
        seed: of which and where.

    Returns:
        The training set with the leak, and ``(n_test,)`` booleans: which test examples leaked.

    Raises:
        ValueError: a share outside 0 to 1.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"A share from 0 to 1 was expected and {share} came.")
    rng = np.random.default_rng(seed)
    leaked = np.zeros(len(test), dtype=bool)
    leaked[rng.permutation(len(test))[: round(share * len(test))]] = True
    mixed = [*train, *(example for example, is_leaked in zip(test, leaked, strict=True) if is_leaked)]
    return tuple(mixed[place] for place in rng.permutation(len(mixed))), leaked


def lightly_edited(text: str, rng: np.random.Generator, words: Sequence[str] = ("um", "well", "please", "so")) -> str:
    """A copy that no comparison of whole texts finds: one filler word put in at a place drawn at random."""
    parts = text.split()
    parts.insert(int(rng.integers(len(parts) + 1)), str(rng.choice(list(words))))
    return " ".join(parts)


class Found(NamedTuple):
    """What a detector found, against what was planted."""

    precision: float  # of what it reports, the share that was planted; 1 where it reports nothing
    recall: float  # of what was planted, the share that it reports; 1 where nothing was planted


def judged(reported, planted) -> Found:
    """Precision and recall of a detector.

    Args:
        reported, planted: ``(n_test,)`` booleans each.

    Raises:
        ValueError: their lengths differ.
    """
    reported, planted = np.asarray(reported, dtype=bool), np.asarray(planted, dtype=bool)
    if reported.shape != planted.shape:
        raise ValueError(f"A verdict for each example was expected; {reported.size} came for {planted.size}.")
    hits = int((reported & planted).sum())
    return Found(hits / reported.sum() if reported.any() else 1.0, hits / planted.sum() if planted.any() else 1.0)


def threshold_curve(
    shares: np.ndarray, planted: np.ndarray, thresholds: Sequence[float]
) -> tuple[np.ndarray, np.ndarray]:
    """Precision and recall, ``(n_thresholds,)`` each, of reporting what shares at least a threshold."""
    found = [judged(np.asarray(shares) >= threshold, planted) for threshold in thresholds]
    return np.array([f.precision for f in found]), np.array([f.recall for f in found])


def inflation(score: Callable[[Sequence], np.ndarray], clean: Sequence, leaked: Sequence) -> float:
    """How much a score gains from a leak: right answers after training with it, minus without, as a share.

    Args:
        score: trains on a training set and returns which test answers are right, ``(n_test,)`` booleans.
        clean, leaked: the training sets.
    """
    return float(np.mean(score(leaked)) - np.mean(score(clean)))
