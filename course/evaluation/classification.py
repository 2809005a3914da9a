"""Scores of a classifier, and the baselines that it has to beat (Lecture 9).

Sources: D. Jurafsky and J. H. Martin, Speech and Language Processing, chapters on text classification; S. Wang and
C. Manning, Baselines and Bigrams, ACL 2012 (why a bag of words is hard to beat on short texts).
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline


def correct(said: Sequence[str], expected: Sequence[str]) -> np.ndarray:
    """Which answers are right, ``(n,)`` booleans.

    Raises:
        ValueError: nothing came, or not one answer for each example.
    """
    if len(said) != len(expected) or not len(said):
        raise ValueError(f"One answer for each example was expected; {len(said)} came for {len(expected)} examples.")
    return np.array([a == b for a, b in zip(said, expected, strict=True)])


def accuracy(said: Sequence[str], expected: Sequence[str]) -> float:
    """Share of right answers.

    Raises:
        ValueError: as for :func:`correct`.
    """
    return float(correct(said, expected).mean())


def confusion(said: Sequence[str], expected: Sequence[str], labels: Sequence[str]) -> np.ndarray:
    """How often each label was answered for each: ``(n_labels, n_labels)`` counts, a row for each expected label.

    Raises:
        ValueError: an answer is not among the labels, or as for :func:`correct`.
    """
    correct(said, expected)
    unknown = (set(said) | set(expected)) - set(labels)
    if unknown:
        raise ValueError(f"Labels from {list(labels)} were expected and {sorted(unknown)} came.")
    place = {label: index for index, label in enumerate(labels)}
    counts = np.zeros((len(labels), len(labels)), dtype=int)
    np.add.at(counts, ([place[label] for label in expected], [place[label] for label in said]), 1)
    return counts


def macro_f1(said: Sequence[str], expected: Sequence[str]) -> float:
    """The mean over the expected labels of each one's F1: rare labels count as much as frequent ones.

    F1 is the harmonic mean of precision (how many of the answers "x" are right) and recall (how many of the x were
    found); it is 0 for a label that was never found.

    Raises:
        ValueError: as for :func:`correct`.
    """
    labels = sorted({*expected, *said})
    counts = confusion(said, expected, labels)
    hits, wanted, given = counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0)
    scores = 2 * hits[wanted > 0] / (wanted + given)[wanted > 0]
    return float(scores.mean())


class Majority:
    """Answers the most frequent label of its training, whatever it is asked; of equally frequent ones the first."""

    def __init__(self, labels: Sequence[str]):
        if not len(labels):
            raise ValueError("At least one label was expected to find the most frequent of, and none came.")
        self.label = Counter(labels).most_common(1)[0][0]

    def predict(self, texts: Sequence[str]) -> list[str]:
        """The same label for each text."""
        return [self.label] * len(texts)


class BagOfWords:
    """Logistic regression on which words and pairs of words occur: seconds to train, and the baseline to beat.

    Args:
        texts, labels: ``(n,)`` each, with at least two different labels.
        strength: inverse of the regularisation, scikit-learn's ``C``.

    Raises:
        ValueError: fewer than two labels, or not one for each text.
    """

    def __init__(self, texts: Sequence[str], labels: Sequence[str], strength: float = 10.0):
        if len(texts) != len(labels) or len(set(labels)) < 2:
            raise ValueError(
                f"A label for each text was expected, and at least two different ones; {len(labels)} came for "
                f"{len(texts)} texts, {len(set(labels))} of them different."
            )
        words = CountVectorizer(ngram_range=(1, 2), binary=True, token_pattern=r"[^\s]+")
        self.pipeline = make_pipeline(words, LogisticRegression(C=strength, max_iter=2000))
        self.pipeline.fit(list(texts), list(labels))

    def predict(self, texts: Sequence[str]) -> list[str]:
        """The likeliest label of each text; of a text without a known word, the most frequent one."""
        return [str(label) for label in self.pipeline.predict(list(texts))] if len(texts) else []
