"""Which language a text is in: naive Bayes on three letters at a time (Lecture 8).

``languages.toml`` has two dozen sentences of each of five languages, two thirds to learn from and one third to be
measured on. That is little, and enough: what tells languages apart are their commonest letters in a row. Texts of few
words can be of several languages ("no", "me", "die"); then the answer is that nobody knows, and the filter keeps them.

Source: W. Cavnar and J. Trenkle, N-Gram-Based Text Categorization, 1994 (letter n-grams); the classifier is Laplace's
rule of succession on each.
"""

import math
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

SURE = 4.0  # natural logarithm of how much likelier the best language has to be than the next: 55 times
IN_BRACKETS = re.compile(r"\[[^\]]*\]")
LETTERS = re.compile(r"(?:[^\W\d_]|')+")


def trigrams(text: str) -> list[str]:
    """Three letters at a time, of lower-case words with a space on either side.

    Digits and punctuation separate words; words in brackets, as placeholders are, belong to no language and are left
    out.
    """
    padded = " " + " ".join(LETTERS.findall(IN_BRACKETS.sub(" ", text.lower()))) + " "
    return [padded[start : start + 3] for start in range(len(padded) - 2)]


class LanguageProfiles:
    """How often each trigram occurs in each language.

    Args:
        texts: sentences by language; at least two languages, each with at least one word.

    Raises:
        ValueError: fewer than two languages, or one without words.
    """

    def __init__(self, texts: Mapping[str, Iterable[str]]):
        counts = {
            name: Counter(gram for text in sentences for gram in trigrams(text)) for name, sentences in texts.items()
        }
        if len(counts) < 2 or not all(counts.values()):
            raise ValueError("Sentences of at least two languages were expected, and words in each.")
        known = len(set().union(*counts.values())) + 1  # and one that stands for all others
        self.unseen = {name: -math.log(of.total() + known) for name, of in counts.items()}
        self.seen = {
            name: {gram: math.log(count + 1) + self.unseen[name] for gram, count in of.items()}
            for name, of in counts.items()
        }

    def log_likelihoods(self, text: str) -> dict[str, float]:
        """Natural logarithm of the probability of the text's trigrams in each language."""
        grams = trigrams(text)
        return {name: sum(seen.get(gram, self.unseen[name]) for gram in grams) for name, seen in self.seen.items()}

    def best(self, text: str) -> tuple[str, float]:
        """The likeliest language, and by how many natural logarithms it leads; of equals, the first by name."""
        ranked = sorted((-value, name) for name, value in self.log_likelihoods(text).items())
        return ranked[0][1], ranked[1][0] - ranked[0][0]


def spoken_language(text: str) -> str | None:
    """The language of a text, "en", "de", "es", "fr" or "it"; None where the text is too short to be ``SURE``."""
    name, lead = _profiles().best(text)
    return name if lead >= SURE else None


def learned_from() -> dict[str, tuple[str, ...]]:
    """The sentences that the profiles were made of, by language."""
    return {name: tuple(sentences[: -_held_out(sentences)]) for name, sentences in _sentences().items()}


def held_out() -> dict[str, tuple[str, ...]]:
    """The sentences that they have not seen, by language."""
    return {name: tuple(sentences[-_held_out(sentences) :]) for name, sentences in _sentences().items()}


def _held_out(sentences: list[str]) -> int:
    return len(sentences) // 3


@cache
def _profiles() -> LanguageProfiles:
    return LanguageProfiles(learned_from())


@cache
def _sentences() -> dict[str, list[str]]:
    return tomllib.loads(Path(__file__).with_name("languages.toml").read_text(encoding="utf-8"))
