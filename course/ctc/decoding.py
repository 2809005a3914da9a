"""From log probabilities to text: the best path, and the best labelling by prefix beam search (Lecture 5).

The best path takes the likeliest symbol of each frame. The best labelling adds up the paths that mean the same, and
may be another. Beam search sums over the paths of each prefix that it keeps, and can be told which prefixes are worth
keeping: by a lexicon and a language model.

Source: A. Graves and N. Jaitly, Towards end-to-end speech recognition with recurrent neural networks, ICML 2014,
algorithm 1; A. Hannun et al., First-pass large vocabulary continuous speech recognition using bi-directional recurrent
DNNs, 2014.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

import numpy as np

from course.ctc.forward_backward import checked
from course.ctc.lattice import BLANK, collapse

Prefix = tuple[int, ...]
LanguageModel = Callable[[Sequence[str], str | None], float]


def greedy(log_probs, blank: int = BLANK) -> Prefix:
    """What the best path means: the likeliest symbol of each frame, collapsed.

    Args:
        log_probs: ``(n_frames, n_symbols)``.
        blank: number of the blank.
    """
    return collapse(checked(log_probs, (), blank).argmax(axis=1).tolist(), blank)


class Grammar(Protocol):
    """What a beam search may write, and how much it likes it."""

    def extensions(self, prefix: Prefix) -> Mapping[int, float]:
        """Labels that may follow ``prefix``, each with a log weight that is added once it does."""

    def ending(self, prefix: Prefix) -> float:
        """Log weight that is added when the text ends after ``prefix``; ``-inf`` where it must not end."""


class AnyLabels:
    """The grammar without a rule: every label may follow every other, at no cost.

    Args:
        n_symbols: with the blank.
        blank: number of the blank.
    """

    def __init__(self, n_symbols: int, blank: int = BLANK):
        self._all = {label: 0.0 for label in range(n_symbols) if label != blank}

    def extensions(self, prefix: Prefix) -> Mapping[int, float]:
        return self._all

    def ending(self, prefix: Prefix) -> float:
        return 0.0


class WordGrammar:
    """Words of a lexicon with spaces between them, weighted by a language model.

    Args:
        spellings: word to the labels that spell it.
        space: label of the space.
        language_model: called with the words so far and the next word, None for the end; returns the natural logarithm
            of its probability. Without one, all sequences of words are alike.
        weight: exponent of the language model against the acoustic one.
        bonus: log weight of every word; above 0 it makes up for the language model's dislike of long texts.

    Raises:
        ValueError: no words, or a word without a spelling.
    """

    def __init__(
        self,
        spellings: Mapping[str, Sequence[int]],
        space: int,
        language_model: LanguageModel | None = None,
        weight: float = 1.0,
        bonus: float = 0.0,
    ):
        if not spellings or not all(len(labels) for labels in spellings.values()):
            raise ValueError(f"A lexicon of spelled words was expected and {dict(spellings)!r} came.")
        self.space, self.weight, self.bonus = space, weight, bonus
        self.language_model = language_model or (lambda history, word: 0.0)
        self._word_of = {tuple(labels): word for word, labels in spellings.items()}
        self._next: dict[Prefix, set[int]] = {}
        for labels in self._word_of:
            for end in range(len(labels)):
                self._next.setdefault(labels[:end], set()).add(labels[end])
        self._known: dict[Prefix, Mapping[int, float]] = {}

    def extensions(self, prefix: Prefix) -> Mapping[int, float]:
        if prefix not in self._known:
            done, current = self._split(prefix)
            following = dict.fromkeys(self._next.get(current, ()), 0.0)
            if current in self._word_of:
                following[self.space] = self._log_weight(done, self._word_of[current])
            self._known[prefix] = {label: weight for label, weight in following.items() if weight > -math.inf}
        return self._known[prefix]

    def ending(self, prefix: Prefix) -> float:
        done, current = self._split(prefix)
        if not prefix:
            return self.weight * self.language_model((), None)
        if current not in self._word_of:
            return -math.inf
        word = self._word_of[current]
        return self._log_weight(done, word) + self.weight * self.language_model((*done, word), None)

    def _log_weight(self, history: Sequence[str], word: str) -> float:
        return self.weight * self.language_model(history, word) + self.bonus

    def _split(self, prefix: Prefix) -> tuple[tuple[str, ...], Prefix]:
        """The words that are complete, and the labels of the one that is not."""
        words, start = [], 0
        for place, label in enumerate(prefix):
            if label == self.space:
                words.append(self._word_of[prefix[start:place]])
                start = place + 1
        return tuple(words), prefix[start:]


def prefix_beam(
    log_probs,
    width: int | None = 16,
    grammar: Grammar | None = None,
    blank: int = BLANK,
    floor: float = -math.inf,
) -> list[tuple[Prefix, float]]:
    """The likeliest labellings, best first, each with its log probability and the grammar's weight.

    Args:
        log_probs: ``(n_frames, n_symbols)``.
        width: prefixes kept after each frame; None keeps all, and the sums are then exact.
        grammar: what may be written; anything, if None.
        blank: number of the blank.
        floor: symbols with a lower log probability in a frame are not tried in it.

    Returns:
        At most ``width`` pairs; none where the grammar lets nothing end.

    Raises:
        ValueError: see :func:`course.ctc.forward_backward.checked`, or a width below 1.
    """
    if width is not None and width < 1:
        raise ValueError(f"A beam of at least one prefix was expected and a width of {width} came.")
    frames = checked(log_probs, (), blank)
    grammar = grammar or AnyLabels(frames.shape[1], blank)
    beam = {(): (0.0, -math.inf, 0.0)}  # prefix: paths that end in the blank, paths that end in its label, weight
    for frame in frames.tolist():
        beam = _pruned(_advanced(beam, frame, grammar, blank, floor), width)
    ended = {prefix: log_add(p, q) + weight + grammar.ending(prefix) for prefix, (p, q, weight) in beam.items()}
    ranked = sorted(ended.items(), key=lambda item: -item[1])
    return [(prefix, score) for prefix, score in ranked if score > -math.inf]


def _advanced(beam: dict, frame: list[float], grammar: Grammar, blank: int, floor: float) -> dict:
    """The beam one frame later, not yet pruned."""
    after: dict[Prefix, tuple[float, float, float]] = {}

    def add(prefix: Prefix, ends_in_blank: float, ends_in_label: float, weight: float):
        p, q, _ = after.get(prefix, (-math.inf, -math.inf, 0.0))
        after[prefix] = (log_add(p, ends_in_blank), log_add(q, ends_in_label), weight)

    for prefix, (p_blank, p_label, weight) in beam.items():
        both = log_add(p_blank, p_label)
        last = prefix[-1] if prefix else blank
        again = p_label + frame[last] if prefix else -math.inf  # the same label goes on: the prefix stays
        add(prefix, both + frame[blank], again, weight)
        for label, cost in grammar.extensions(prefix).items():
            if frame[label] > floor:
                reached = p_blank if label == last else both  # a second equal label needs a blank before it
                add((*prefix, label), -math.inf, reached + frame[label], weight + cost)
    return after


def _pruned(beam: dict, width: int | None) -> dict:
    """The ``width`` entries of the highest score; equal ones in the order of their labels."""
    if width is None or len(beam) <= width:
        return beam
    ranked = sorted(beam.items(), key=lambda item: (-log_add(item[1][0], item[1][1]) - item[1][2], item[0]))
    return dict(ranked[:width])


def log_add(a: float, b: float) -> float:
    """``log(exp(a) + exp(b))`` of two numbers, also where both are ``-inf``; quicker than NumPy's for single ones."""
    if a < b:
        a, b = b, a
    return a if b == -math.inf else a + math.log1p(math.exp(b - a))


def total_log_probability(candidates: Iterable[tuple[Prefix, float]]) -> float:
    """Log of the summed probability of labellings that a beam returned: how much of all mass it kept."""
    return float(np.logaddexp.reduce([score for _, score in candidates] or [-np.inf]))
