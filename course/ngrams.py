"""N-gram language models: counts, smoothing, perplexity and ARPA files (Lecture 4, *Decoding*).

A model of order n says how probable each next word is after the n - 1 words before it. A sentence is a sequence of
words between ``<s>`` and ``</s>``; ``<s>`` is only ever a history, ``</s>`` is predicted like a word, and ``<unk>``
stands for every word outside the vocabulary. Log-probabilities are natural logarithms, except in ARPA files.

Every estimate comes out as a :class:`BackOffModel`: probabilities of the n-grams that were seen, and for each history
one weight that scales the shorter model for all others. That is also what an ARPA file holds, and what a decoder reads.

Source: S. F. Chen and J. Goodman, An empirical study of smoothing techniques for language modeling, Computer Speech and
Language 13 (1999), sections 2.2 (add-k), 2.5 (Katz), 2.6 (Witten-Bell) and 2.8 (Kneser-Ney).
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

START, END, UNKNOWN = "<s>", "</s>", "<unk>"
NEVER = -99.0  # what ARPA files write for log10(0)

Ngram = tuple[str, ...]


@dataclass(frozen=True)
class BackOffModel:
    """An n-gram model in back-off form.

    Attributes:
        order: length of its longest n-grams.
        log_probs: n-gram to natural log-probability of its last word after the others; all words are there as 1-grams.
        back_offs: history to the natural log of the weight of the shorter model after it; 0 for histories not listed.
    """

    order: int
    log_probs: dict[Ngram, float]
    back_offs: dict[Ngram, float]

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """Every word that can come next, sorted, with ``</s>`` and ``<unk>``."""
        return tuple(sorted(ngram[0] for ngram in self.log_probs if len(ngram) == 1 and ngram[0] != START))

    def log_prob(self, word: str, history: Sequence[str] = ()) -> float:
        """Natural log-probability of ``word`` after ``history``, of which the last ``order - 1`` words count.

        Words outside the vocabulary, in either place, are taken for ``<unk>``. Minus infinity for what is impossible.
        """
        context = tuple(map(self._known, history))[-(self.order - 1) :] if self.order > 1 else ()
        word, weight = self._known(word), 0.0
        while context and (*context, word) not in self.log_probs:
            weight += self.back_offs.get(context, 0.0)
            context = context[1:]
        return weight + self.log_probs.get((*context, word), -math.inf)  # only <s> is not there

    def sentence_log_probs(self, sentence: str | Sequence[str]) -> np.ndarray:
        """Natural log-probability of each word and of the end: ``(n_words + 1,)``."""
        words = [START, *_words(sentence), END]
        return np.array([self.log_prob(word, words[:i]) for i, word in enumerate(words) if i])

    def _known(self, word: str) -> str:
        return word if word == START or (word,) in self.log_probs else UNKNOWN


def count_ngrams(sentences: Iterable[str | Sequence[str]], order: int) -> list[Counter]:
    """How often each n-gram occurs, for every length up to ``order``.

    Args:
        sentences: strings of words, or sequences of words. A sentence without words counts as ``<s> </s>``.
        order: at least 1.

    Returns:
        ``order`` counters: item k - 1 maps tuples of k words to counts. ``<s>`` is no 1-gram: it is never predicted.

    Raises:
        ValueError: an order below 1, no sentences, or a sentence that contains ``<s>`` or ``</s>``.
    """
    _check_order(order)
    counts = [Counter() for _ in range(order)]
    for sentence in sentences:
        words = [START, *_words(sentence), END]
        for k, counter in enumerate(counts, start=1):
            counter.update(tuple(words[i : i + k]) for i in range(len(words) - k + 1))
    if not counts[0]:
        raise ValueError("At least one sentence was expected to count n-grams in, and none came.")
    del counts[0][START,]
    return counts


def maximum_likelihood(sentences, order: int, vocabulary: Iterable[str] = ()) -> BackOffModel:
    """Shares of the counts, nothing more: what was never seen after a history has probability 0.

    Args:
        sentences: see :func:`count_ngrams`.
        order: at least 1.
        vocabulary: words that belong to the model beside those of the sentences.
    """
    return add_k(sentences, order, 0.0, vocabulary)


def add_k(sentences, order: int, k: float = 1.0, vocabulary: Iterable[str] = ()) -> BackOffModel:
    """Pretend that every word was seen ``k`` times more often after every history.

    ``p(w | h) = (c(h w) + k) / (c(h) + k V)`` with V words in the vocabulary; 1 / V after a history never seen.

    Raises:
        ValueError: a negative ``k``; and as :func:`count_ngrams`.
    """
    if not (k >= 0 and math.isfinite(k)):
        raise ValueError(f"A number of pretended occurrences of at least 0 was expected and {k} came. Try 1, or 0.1.")
    sentences = list(sentences)
    counts = count_ngrams(sentences, order)
    words = _vocabulary(counts, vocabulary)
    uniform = {(word,): -math.log(len(words)) for word in words}
    if order == 1:
        total = counts[0].total()
        return BackOffModel(1, {(w,): _log((counts[0][w,] + k) / (total + k * len(words))) for w in words}, {})
    at_start = {ngram: c for counter in counts[1:-1] for ngram, c in counter.items() if ngram[0] == START}
    used = counts[-1] + Counter(at_start)  # the first words of a sentence have no longer history
    totals = _totals(used)
    seen = {ngram: math.log((c + k) / (totals[ngram[:-1]] + k * len(words))) for ngram, c in used.items()}
    weights = {history: _log(k * len(words) / (total + k * len(words))) for history, total in totals.items()}
    return BackOffModel(order, uniform | seen, weights)


def witten_bell(sentences, order: int, vocabulary: Iterable[str] = ()) -> BackOffModel:
    """Trust a history the more, the less often it was followed by something new.

    ``p(w | h) = (c(h w) + T(h) p(w | h')) / (c(h) + T(h))``, where ``T(h)`` is the number of different words seen after
    ``h`` and ``h'`` is ``h`` without its first word; below the 1-grams lies the uniform distribution.

    Raises:
        ValueError: as :func:`count_ngrams`.
    """
    counts = count_ngrams(sentences, order)

    def estimate(counter: Counter) -> tuple[dict, dict]:
        totals, kinds = _totals(counter), Counter(ngram[:-1] for ngram in counter)
        shares = {ngram: c / (totals[ngram[:-1]] + kinds[ngram[:-1]]) for ngram, c in counter.items()}
        return shares, {history: kinds[history] / (totals[history] + kinds[history]) for history in totals}

    return _interpolated(counts, _vocabulary(counts, vocabulary), estimate)


def kneser_ney(sentences, order: int, vocabulary: Iterable[str] = ()) -> BackOffModel:
    """Take the same discount off every count; shorter n-grams count the different words that they follow.

    "Francisco" is frequent but follows one word only, so that after an unseen history it deserves little. Interpolated,
    with one discount ``n1 / (n1 + 2 n2)`` for each length, where ``n1`` and ``n2`` n-grams occur once and twice.

    Raises:
        ValueError: as :func:`count_ngrams`.
    """
    raw = count_ngrams(sentences, order)
    counts = [_continuations(longer, shorter) for shorter, longer in zip(raw, raw[1:], strict=False)] + raw[-1:]

    def estimate(counter: Counter) -> tuple[dict, dict]:
        totals, kinds, discount = _totals(counter), Counter(ngram[:-1] for ngram in counter), _discount(counter)
        shares = {ngram: (c - discount) / totals[ngram[:-1]] for ngram, c in counter.items()}
        return shares, {history: discount * kinds[history] / totals[history] for history in totals}

    return _interpolated(counts, _vocabulary(raw, vocabulary), estimate)


def perplexity(model: BackOffModel, sentences: Iterable[str | Sequence[str]]) -> float:
    """How many equally likely words the model hesitates between, on average: ``exp(-mean log p)``.

    Every word and every end of a sentence counts once. Infinite if the model rules out anything that occurs.

    Raises:
        ValueError: there are no sentences.
    """
    log_probs = [model.sentence_log_probs(sentence) for sentence in sentences]
    if not log_probs:
        raise ValueError("Perplexity was asked of no sentences at all. Pass at least one, even an empty one.")
    return float(np.exp(-np.mean(np.concatenate(log_probs))))


def out_of_vocabulary(model: BackOffModel, sentences: Iterable[str | Sequence[str]]) -> float:
    """Share of the words that the model has not in its vocabulary; 0 for no words."""
    words = [word for sentence in sentences for word in _words(sentence)]
    return sum((word,) not in model.log_probs for word in words) / max(1, len(words))


def random_sentence(model: BackOffModel, rng: np.random.Generator, longest: int = 30) -> str:
    """A sentence as the model believes them to be: each word drawn after those before it; no ``<unk>``.

    Args:
        model: of any order.
        rng: where the draws come from.
        longest: words at which it stops, if the model has not ended the sentence by then.
    """
    choices = [word for word in model.vocabulary if word != UNKNOWN]
    words = [START]
    while len(words) <= longest:
        p = np.exp([model.log_prob(word, words) for word in choices])
        words.append(choices[rng.choice(len(choices), p=p / p.sum())])
        if words[-1] == END:
            return " ".join(words[1:-1])
    return " ".join(words[1:])


def write_arpa(model: BackOffModel, path: str | Path) -> None:
    """Write the model as an ARPA file: base-10 logarithms, a tab after each probability, six decimals.

    A history that is no n-gram itself is added with the probability that the model gives it anyway, as readers expect
    to find the weights beside the n-grams.
    """
    log_probs = {(START,): -math.inf} | model.log_probs
    for history in sorted(model.back_offs, key=len):
        if history not in log_probs:
            log_probs[history] = model.log_prob(history[-1], history[:-1])
    lines = ["\\data\\"]
    by_length = [sorted(n for n in log_probs if len(n) == k) for k in range(1, model.order + 1)]
    lines += [f"ngram {k}={len(ngrams)}" for k, ngrams in enumerate(by_length, start=1)]
    for k, ngrams in enumerate(by_length, start=1):
        lines += ["", f"\\{k}-grams:"]
        for ngram in ngrams:
            weight = f"\t{_log10(model.back_offs.get(ngram, 0.0)):.6f}" if k < model.order else ""
            lines.append(f"{_log10(log_probs[ngram]):.6f}\t{' '.join(ngram)}{weight}")
    Path(path).write_text("\n".join([*lines, "", "\\end\\", ""]), encoding="utf-8")


def read_arpa(path: str | Path) -> BackOffModel:
    """Read an ARPA file.

    Raises:
        ValueError: a file that cannot be read, or is not in the format: the line and what was expected there.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"An ARPA file was expected at {path}, and it cannot be read: {error}.") from error
    length, promised, log_probs, back_offs = 0, {}, {}, {}
    for number, line in enumerate(map(str.strip, lines), start=1):
        if heading := re.fullmatch(r"\\(\d+)-grams:", line):
            length = int(heading[1])
        elif count := re.fullmatch(r"ngram (\d+)\s*=\s*(\d+)", line):
            promised[int(count[1])] = int(count[2])
        elif line == "\\end\\":
            break
        elif line and length:
            ngram, log_prob, weight = _entry(line, length, f"{path}, line {number}")
            log_probs[ngram] = log_prob
            if weight:
                back_offs[ngram] = weight
    else:
        raise ValueError(f"{path}: an ARPA file was expected, and it lacks its last line, \\end\\: is it cut short?")
    found = Counter(map(len, log_probs))
    if not promised or found != Counter(promised):
        raise ValueError(f"{path}: the head promises {promised} n-grams by length, and {dict(found)} came.")
    return BackOffModel(max(promised), log_probs, back_offs)


def _entry(line: str, length: int, where: str) -> tuple[Ngram, float, float]:
    fields = line.split()
    if len(fields) not in (length + 1, length + 2):
        raise ValueError(f"{where}: a log-probability, {length} words and perhaps a weight were expected in {line!r}.")
    try:
        numbers = [float(fields[0]), *map(float, fields[length + 1 :])]
    except ValueError:
        raise ValueError(f"{where}: the first and last fields of {line!r} were expected to be numbers.") from None
    log_prob, weight = (_natural(value) for value in (*numbers, 0.0)[:2])
    return tuple(fields[1 : length + 1]), log_prob, weight


def _interpolated(counts: list[Counter], words: list[str], estimate) -> BackOffModel:
    """Mix each length with the next shorter one, from the uniform distribution up."""
    shares, weights = estimate(counts[0])
    rest = weights[()] / len(words)
    log_probs = {(word,): math.log(shares.get((word,), 0.0) + rest) for word in words}
    model = BackOffModel(len(counts), log_probs, {})
    for counter in counts[1:]:
        shares, weights = estimate(counter)
        logs = {history: _log(weight) for history, weight in weights.items()}
        shorter = {ngram: math.exp(model.log_prob(ngram[-1], ngram[1:-1])) for ngram in counter}
        model.log_probs.update({n: math.log(shares[n] + weights[n[:-1]] * shorter[n]) for n in counter})
        model.back_offs.update(logs)
    return model


def _continuations(longer: Counter, shorter: Counter) -> Counter:
    """Different words before each n-gram; the plain count where only ``<s>`` can be there, as nothing precedes it."""
    different = Counter(ngram[1:] for ngram in longer)
    return Counter({ngram: c if ngram[0] == START else different[ngram] for ngram, c in shorter.items()})


def _discount(counter: Counter) -> float:
    once, twice = (sum(c == times for c in counter.values()) for times in (1, 2))
    return once / (once + 2 * twice) if once and twice else 0.5


def _totals(counter: Counter) -> Counter:
    totals = Counter()
    for ngram, count in counter.items():
        totals[ngram[:-1]] += count
    return totals


def _vocabulary(counts: list[Counter], more: Iterable[str]) -> list[str]:
    return sorted({word for (word,) in counts[0]} | set(more) - {START} | {END, UNKNOWN})


def _words(sentence: str | Sequence[str]) -> list[str]:
    words = sentence.split() if isinstance(sentence, str) else list(sentence)
    if marks := {START, END} & set(words):
        raise ValueError(f"A sentence was expected without {marks.pop()}, which is added here, and came with it.")
    return words


def _check_order(order: int) -> None:
    if not isinstance(order, int | np.integer) or order < 1:
        raise ValueError(f"An order of 1 (single words), 2 (pairs) or more was expected and {order!r} came.")


def _log(probability: float) -> float:
    return math.log(probability) if probability > 0 else -math.inf


def _log10(natural: float) -> float:
    return max(NEVER, natural / math.log(10))


def _natural(log10: float) -> float:
    return -math.inf if log10 <= NEVER else log10 * math.log(10)
