"""Scoring a recogniser: aligned words, word error rate, and how far chance could have moved it (Lecture 4, *Decoding*).

Sources: V. I. Levenshtein, Binary codes capable of correcting deletions, insertions, and reversals, 1966; R. A. Wagner
and M. J. Fischer, The string-to-string correction problem, 1974; M. Bisani and H. Ney, Bootstrap estimates for
confidence intervals in ASR performance evaluation, 2004 (the intervals).
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

UNITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TEENS = ("ten", "eleven", "twelve", "thirteen", "fourteen") + (
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
)
ONES = UNITS + TEENS
TENS = ("", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
SPELLED_OUT = {"mr": "mister", "mrs": "missus", "dr": "doctor", "&": "and", "%": "percent"}
WORD = re.compile(r"\d+|[^\W\d_]+(?:'[^\W\d_]+)*|[&%]")


@dataclass(frozen=True)
class Alignment:
    """The cheapest way from the words that were said to the words that were recognised.

    Attributes:
        ops: per step an operation ("correct", "substitution", "deletion" or "insertion"), the reference's word and the
            hypothesis's word; None where one of them has no word.
    """

    ops: tuple[tuple[str, str | None, str | None], ...]

    def _count(self, operation: str) -> int:
        return sum(op == operation for op, _, _ in self.ops)

    @property
    def substitutions(self) -> int:
        """Words that were recognised as other words."""
        return self._count("substitution")

    @property
    def deletions(self) -> int:
        """Words that were said and not recognised."""
        return self._count("deletion")

    @property
    def insertions(self) -> int:
        """Words that were recognised and not said."""
        return self._count("insertion")

    @property
    def errors(self) -> int:
        """Substitutions, deletions and insertions together: the edit distance."""
        return len(self.ops) - self._count("correct")

    @property
    def n_words(self) -> int:
        """Words of the reference."""
        return len(self.ops) - self.insertions


def normalise(text: str) -> str:
    """The words of a text as a person says them: lower case, no punctuation, numbers and a few short forms spelled out.

    Apostrophes within a word stay ("don't"), hyphens separate ("long-term" is two words), accents go, and "0" to "9999"
    become words; longer numbers are read digit by digit.

    Args:
        text: any text.

    Returns:
        Words joined by single spaces; empty for a text without words.
    """
    plain = unicodedata.normalize("NFKD", text.lower().replace("’", "'"))
    plain = "".join(character for character in plain if not unicodedata.combining(character))
    plain = re.sub(r"(?<=\d),(?=\d{3})", "", plain)
    words = (SPELLED_OUT.get(word, word) for word in WORD.findall(plain))
    return " ".join(_number(word) if word.isdecimal() else word for word in words)


def _number(digits: str) -> str:
    value = int(digits)
    if len(digits) > 4 or (len(digits) > 1 and digits[0] == "0"):
        return " ".join(ONES[int(digit)] for digit in digits)
    if value < 20:
        return ONES[value]
    if value < 100:
        return TENS[value // 10] + (f" {ONES[value % 10]}" if value % 10 else "")
    name, size = ("hundred", 100) if value < 1000 else ("thousand", 1000)
    rest = value % size
    return f"{ONES[value // size]} {name}" + (f" {_number(str(rest))}" if rest else "")


def _as_words(text: str | Sequence[str], role: str) -> list[str]:
    if not isinstance(text, str) and not all(isinstance(word, str) for word in text):
        raise TypeError(f"The {role} was expected as text or a list of words; {text!r} came.")
    return text.split() if isinstance(text, str) else list(text)


def align_words(reference: str | Sequence[str], hypothesis: str | Sequence[str]) -> Alignment:
    """Align two word sequences with the fewest errors; of equally cheap steps a match or substitution comes first.

    Args:
        reference: what was said: words joined by spaces, or a list of words; may be empty.
        hypothesis: what was recognised, in the same form.

    Raises:
        TypeError: something else than text or words came.
    """
    said, heard = _as_words(reference, "reference"), _as_words(hypothesis, "hypothesis")
    cost = _edit_costs(said, heard)
    ops, i, j = [], len(said), len(heard)
    while i or j:
        if i and j and cost[i, j] == cost[i - 1, j - 1] + (said[i - 1] != heard[j - 1]):
            i, j = i - 1, j - 1
            ops.append(("correct" if said[i] == heard[j] else "substitution", said[i], heard[j]))
        elif i and cost[i, j] == cost[i - 1, j] + 1:
            i -= 1
            ops.append(("deletion", said[i], None))
        else:
            j -= 1
            ops.append(("insertion", None, heard[j]))
    return Alignment(tuple(reversed(ops)))


def _edit_costs(said: list[str], heard: list[str]) -> np.ndarray:
    """``(len(said) + 1, len(heard) + 1)`` int: the edit distance between every two prefixes."""
    rows = [list(range(len(heard) + 1))]
    for i, word in enumerate(said, 1):
        above, row = rows[-1], [i]
        for j, other in enumerate(heard, 1):
            row.append(min(above[j - 1] + (word != other), above[j] + 1, row[j - 1] + 1))
        rows.append(row)
    return np.array(rows)


def word_error_rate(references, hypotheses) -> float:
    """Errors per word that was said, over all utterances together: ``(S + D + I) / N``.

    Args:
        references: one text per utterance, or one text.
        hypotheses: as many.

    Returns:
        A ratio, 0 for perfect; above 1 where insertions abound; infinite where nothing was said but something was
        recognised.

    Raises:
        ValueError: there are not as many hypotheses as references, or none at all.
    """
    references = [references] if isinstance(references, str) else list(references)
    hypotheses = [hypotheses] if isinstance(hypotheses, str) else list(hypotheses)
    if len(references) != len(hypotheses) or not references:
        raise ValueError(
            f"One hypothesis was expected for each of at least one reference; {len(references)} references and "
            f"{len(hypotheses)} hypotheses came."
        )
    alignments = [align_words(said, heard) for said, heard in zip(references, hypotheses, strict=True)]
    errors, words = sum(a.errors for a in alignments), sum(a.n_words for a in alignments)
    if words == 0:
        return float("inf") if errors else 0.0
    return errors / words


def bootstrap_interval(errors, words, n: int = 1000, level: float = 0.95, seed: int = 0) -> tuple[float, float]:
    """Where the error rate would lie, had other utterances of the same kind been recorded.

    Utterances are drawn again with replacement, so that errors that come together in one utterance stay together. With
    no error at all the interval is (0, 0): drawing again cannot find an error that was never seen.

    Args:
        errors: ``(n_utterances,)`` errors in each utterance.
        words: ``(n_utterances,)`` words of each reference.
        n: how many times to draw.
        level: share of the draws inside the interval.
        seed: of the random numbers.

    Returns:
        low, high: error rates.

    Raises:
        ValueError: shapes differ, nothing came, no words at all, a negative count, or a level outside (0, 1).
    """
    errors, words = _counts(errors, words)
    rates = _resampled_rates(errors[None], words, n, seed)[0]
    return _interval(rates, level)


def paired_bootstrap(errors_a, errors_b, words, n: int = 1000, level: float = 0.95, seed: int = 0):
    """How much two systems differ on the same utterances: the rate of ``a`` minus that of ``b``, with its interval.

    Each draw takes the same utterances for both, so that what is hard for both cancels.

    Args:
        errors_a, errors_b, words: ``(n_utterances,)`` each, in the same order.
        n, level, seed: as in :func:`bootstrap_interval`.

    Returns:
        difference, low, high: the interval excludes 0 where one system is better than the other beyond chance.

    Raises:
        ValueError: as in :func:`bootstrap_interval`.
    """
    (first, words), (second, _) = _counts(errors_a, words), _counts(errors_b, words)
    rates = _resampled_rates(np.stack([first, second]), words, n, seed)
    return (float((first.sum() - second.sum()) / words.sum()), *_interval(rates[0] - rates[1], level))


def _counts(errors, words) -> tuple[np.ndarray, np.ndarray]:
    errors, words = np.asarray(errors, dtype=float), np.asarray(words, dtype=float)
    if errors.ndim != 1 or errors.shape != words.shape or not errors.size:
        raise ValueError(
            f"One count of errors and one of words was expected per utterance, for at least one; the shapes "
            f"{errors.shape} and {words.shape} came."
        )
    if not (np.isfinite(errors).all() and (errors >= 0).all() and (words >= 0).all() and words.sum() > 0):
        raise ValueError("Counts of errors and words were expected, none below 0 and at least one word in all.")
    return errors, words


def _resampled_rates(errors: np.ndarray, words: np.ndarray, n: int, seed: int) -> np.ndarray:
    """``(n_systems, n)`` error rates of ``n`` draws; each draw takes the same utterances for every system."""
    if n < 1:
        raise ValueError(f"At least one draw was expected and {n} came; 1,000 is usual.")
    rng = np.random.default_rng(seed)
    times = rng.multinomial(words.size, np.full(words.size, 1 / words.size), size=n)
    return (errors @ times.T) / np.maximum(words @ times.T, 1)


def _interval(values: np.ndarray, level: float) -> tuple[float, float]:
    if not 0 < level < 1:
        raise ValueError(f"A level between 0 and 1 was expected and {level} came; 0.95 is usual.")
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
