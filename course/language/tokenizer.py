"""Byte-pair encoding: a vocabulary that is learned from text (Lecture 7, *Language models*).

A tokenizer begins with the 256 bytes, so that it can write anything, and learns *merges*: the pair of neighbours that
occurs most often becomes a token of its own, again and again. To encode, text is cut into pieces by a pattern (a word
with the space before it), and inside each piece the merges are done in the order in which they were learned.

Source: R. Sennrich, B. Haddow and A. Birch, Neural machine translation of rare words with subword units, ACL 2016,
section 3.2; bytes instead of characters and the pattern: A. Radford et al., Language models are unsupervised multitask
learners, 2019, section 2.2.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

WORDS = (
    r" ?[^\W\d_]+(?:'[^\W\d_]+)?| ?\d+| ?[^\s\w]+| ?_+|\s+(?!\S)|\s"  # words, numbers, signs, space at the end, space
)
ONE_DIGIT = r" ?[^\W\d_]+(?:'[^\W\d_]+)?|\d| ?[^\s\w]+| ?_+|\s+(?!\S)|\s"  # the same, but each digit by itself

Pair = tuple[int, int]


class BytePairTokenizer:
    """Text to token ids and back; without loss for any bytes.

    Args:
        merges: pairs of tokens, each made of single bytes and of tokens merged before it. Token 256 + i is merge i.
        pattern: a regular expression that cuts text into pieces; no token reaches over their edges. What it does not
            match becomes a piece too.

    Raises:
        ValueError: a merge of a token that does not exist by then, or one that is there already.
    """

    def __init__(self, merges: Iterable[tuple[bytes, bytes]] = (), pattern: str = WORDS):
        self.merges = tuple((bytes(left), bytes(right)) for left, right in merges)
        self.pattern = re.compile(pattern)
        self.vocabulary = [bytes([byte]) for byte in range(256)]
        ids = {token: number for number, token in enumerate(self.vocabulary)}
        self._ranks: dict[Pair, int] = {}  # pair of ids to the id of its merge, which is also its order
        self._known: dict[bytes, tuple[int, ...]] = {}  # pieces encoded before
        for left, right in self.merges:
            if left not in ids or right not in ids or left + right in ids:
                raise ValueError(
                    f"A merge of two tokens into a new one was expected and {left!r} + {right!r} came. Keep the merges "
                    "in the order in which they were learned, each once."
                )
            self._ranks[ids[left], ids[right]] = ids[left + right] = len(self.vocabulary)
            self.vocabulary.append(left + right)

    @classmethod
    def train(cls, texts: Iterable[str], vocab_size: int, pattern: str = WORDS) -> "BytePairTokenizer":
        """Learn merges until there are ``vocab_size`` tokens, or no pair occurs twice.

        Of pairs that occur equally often, the one whose tokens were learned first is merged, so that the same texts
        give the same tokenizer. Pairs whose bytes are a token already are passed over.

        Args:
            texts: what to learn from; a string by itself is one text.
            vocab_size: at least 256, the bytes.

        Raises:
            ValueError: a smaller ``vocab_size``.
        """
        if vocab_size < 256:
            raise ValueError(f"A vocabulary of at least 256 tokens, the bytes, was expected and {vocab_size} came.")
        pieces = Counter(
            piece
            for text in ([texts] if isinstance(texts, str) else texts)
            for piece in _cut(text, re.compile(pattern))
        )
        return cls(_learn(pieces, vocab_size), pattern)

    def encode(self, text: str | bytes) -> list[int]:
        """The ids of the tokens of ``text``.

        Raises:
            ValueError: a string with half a surrogate pair, which no UTF-8 file can hold.
        """
        ids: list[int] = []
        for piece in _cut(text, self.pattern):
            if piece not in self._known:
                self._known[piece] = tuple(self._merged(list(piece)))
            ids.extend(self._known[piece])
        return ids

    def decode_bytes(self, ids: Sequence[int]) -> bytes:
        """The bytes that the tokens stand for.

        Raises:
            ValueError: an id that the vocabulary does not have.
        """
        for number in ids:
            if not 0 <= number < len(self.vocabulary):
                raise ValueError(f"Ids from 0 to {len(self.vocabulary) - 1} were expected and {number} came.")
        return b"".join(self.vocabulary[number] for number in ids)

    def decode(self, ids: Sequence[int]) -> str:
        """The text that the tokens stand for; bytes that are no UTF-8, such as half a letter, become U+FFFD."""
        return self.decode_bytes(ids).decode("utf-8", errors="replace")

    def tokens(self, text: str | bytes) -> list[str]:
        """The tokens of ``text`` as one reads them."""
        return [self.decode([number]) for number in self.encode(text)]

    def _merged(self, ids: list[int]) -> list[int]:
        """Do the merge that was learned first, wherever it applies, until none applies."""
        while pairs := set(zip(ids, ids[1:], strict=False)) & self._ranks.keys():
            first = min(pairs, key=self._ranks.__getitem__)
            ids = _replaced(ids, first, self._ranks[first])
        return ids


def _cut(text: str | bytes, pattern: re.Pattern) -> Iterable[bytes]:
    """The pieces of ``text``, as bytes; bytes that are no UTF-8 go through as they are."""
    if isinstance(text, str):
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise ValueError(
                f"Text that UTF-8 can hold was expected, and character {error.start} is half a surrogate pair. "
                "Pass the bytes that it was read from."
            ) from None
    else:
        text = text.decode("utf-8", errors="surrogateescape")
    done = 0
    for match in pattern.finditer(text):
        for piece in (text[done : match.start()], match[0]):
            if piece:
                yield piece.encode("utf-8", errors="surrogateescape")
        done = match.end()
    if done < len(text):
        yield text[done:].encode("utf-8", errors="surrogateescape")


def _learn(pieces: Counter[bytes], vocab_size: int) -> list[tuple[bytes, bytes]]:
    """The merges, most frequent pair first; counts change only in the pieces that hold the pair."""
    words, weights = [list(piece) for piece in pieces], list(pieces.values())
    counts, places = Counter(), defaultdict(set)
    for place, word in enumerate(words):
        _count(word, weights[place], place, counts, places)
    vocabulary = [bytes([byte]) for byte in range(256)]
    taken, merges = set(vocabulary), []
    while len(vocabulary) < vocab_size and counts:
        pair = min(counts, key=lambda pair: (-counts[pair], pair))
        if counts[pair] < 2:
            break
        left, right = vocabulary[pair[0]], vocabulary[pair[1]]
        if left + right in taken:  # the same bytes by another way
            del counts[pair]
            continue
        for place in places.pop(pair):
            _count(words[place], -weights[place], place, counts, places)
            words[place] = _replaced(words[place], pair, len(vocabulary))
            _count(words[place], weights[place], place, counts, places)
        del counts[pair]
        vocabulary.append(left + right)
        taken.add(left + right)
        merges.append((left, right))
    return merges


def _count(word: list[int], weight: int, place: int, counts: Counter, places: defaultdict) -> None:
    """Add the pairs of a word, or take them away with a negative weight."""
    for pair in zip(word, word[1:], strict=False):
        counts[pair] += weight
        places[pair].add(place)


def _replaced(ids: list[int], pair: Pair, merged: int) -> list[int]:
    """``ids`` with each occurrence of the pair, from left to right, as one id."""
    result, at = [], 0
    while at < len(ids):
        if tuple(ids[at : at + 2]) == pair:
            result.append(merged)
            at += 2
        else:
            result.append(ids[at])
            at += 1
    return result
