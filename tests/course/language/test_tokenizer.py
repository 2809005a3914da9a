"""Byte-pair encoding: against brute force and the tokenizers library, and back without loss."""

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, Sequence, Split

from course.language.calls import made_up_calls
from course.language.tokenizer import ONE_DIGIT, WORDS, BytePairTokenizer

TEXTS = [call.text for call in made_up_calls(40)]


@pytest.fixture(scope="module")
def tokenizer():
    return BytePairTokenizer.train(TEXTS, 400)


def merges_by_force(texts, n, pattern=WORDS):
    """Count every pair anew for each merge."""
    words = [[bytes([byte]) for byte in piece.encode()] for text in texts for piece in re.findall(pattern, text)]
    order = {bytes([byte]): byte for byte in range(256)}
    merges = []
    while len(merges) < n:
        counts = Counter(pair for word in words for pair in zip(word, word[1:], strict=False))
        counts = {pair: count for pair, count in counts.items() if count > 1 and pair[0] + pair[1] not in order}
        if not counts:
            break
        best = min(counts, key=lambda pair: (-counts[pair], order[pair[0]], order[pair[1]]))
        merges.append(best)
        order[best[0] + best[1]] = len(order)
        for word in words:
            at = 0
            while at < len(word) - 1:
                if (word[at], word[at + 1]) == best:
                    word[at : at + 2] = [best[0] + best[1]]
                at += 1
    return merges


@pytest.mark.parametrize("pattern", [WORDS, ONE_DIGIT])
def test_merges_are_those_of_counting_anew_each_time(pattern):
    texts = [*TEXTS[:4], "1111 aaaaaaa 2211 aaa low lower lowest"]
    trained = BytePairTokenizer.train(texts, 330, pattern)
    assert list(trained.merges) == merges_by_force(texts, 74, pattern)


def test_encoding_is_that_of_the_tokenizers_library(tokenizer):
    """The same merges and the same pattern, in the library's alphabet of printable letters for bytes."""
    letter = dict(zip(range(256), _byte_letters(), strict=True))
    spelt = ["".join(letter[byte] for byte in token) for token in tokenizer.vocabulary]
    merges = [tuple("".join(letter[byte] for byte in part) for part in merge) for merge in tokenizer.merges]
    theirs = Tokenizer(BPE({token: number for number, token in enumerate(spelt)}, merges))
    byte_level = ByteLevel(add_prefix_space=False, use_regex=False)
    theirs.pre_tokenizer = Sequence([Split(Regex(WORDS), "isolated"), byte_level])
    for text in (*TEXTS, "größe ☎ 48213305  two  spaces\n\n tab\t_x__ o'neill's"):
        assert tokenizer.encode(text) == theirs.encode(text).ids


def _byte_letters():
    """GPT-2's letter for each byte: printable ones stand for themselves, the others move up by 256 in order."""
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = iter(range(256, 512))
    return [chr(byte) if byte in printable else chr(next(others)) for byte in range(256)]


@given(st.binary(max_size=60))
def test_any_bytes_come_back(data):
    tokenizer = BytePairTokenizer.train(TEXTS[:2], 300)
    assert tokenizer.decode_bytes(tokenizer.encode(data)) == data


@given(st.text(max_size=40))
def test_any_text_comes_back(text):
    tokenizer = BytePairTokenizer.train(TEXTS[:2], 300)
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_merges_by_hand():
    tokenizer = BytePairTokenizer.train("low lower lowest", 259)
    assert tokenizer.merges == ((b"l", b"o"), (b"lo", b"w"), (b" ", b"low"))
    assert tokenizer.encode("low slow") == [257, 32, ord("s"), 257]
    assert tokenizer.tokens(" lower") == [" low", "e", "r"]


def test_it_stops_when_no_pair_occurs_twice():
    assert BytePairTokenizer.train(["abc"], 1000).vocabulary == [bytes([byte]) for byte in range(256)]
    assert BytePairTokenizer.train([], 1000).merges == () and BytePairTokenizer.train("", 256).encode("") == []


def test_no_token_reaches_over_a_space_or_a_line(tokenizer):
    tokens = [token.decode("utf-8", errors="replace") for token in tokenizer.vocabulary[256:]]
    assert all(" " not in token[1:] and "\n" not in token for token in tokens)
    assert 10 in tokenizer.encode("agent: hello\ncaller: hi\n")


def test_digits_stand_alone_if_asked():
    notes = [f"acct 4821{number}" for number in range(100, 200)]
    assert len(BytePairTokenizer.train(notes, 300, ONE_DIGIT).encode("4821150")) == 7
    assert len(BytePairTokenizer.train(notes, 300).encode("4821150")) < 7


def test_half_a_letter_reads_as_unknown(tokenizer):
    assert tokenizer.decode(tokenizer.encode("é".encode()[:1])) == "�"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: BytePairTokenizer.train("text", 255), "at least 256"),
        (lambda t: BytePairTokenizer([(b"lo", b"w")]), "merge of two tokens into a new one"),
        (lambda t: BytePairTokenizer([(b"l", b"o"), (b"l", b"o")]), "each once"),
        (lambda t: t.decode([len(t.vocabulary)]), "Ids from 0 to"),
        (lambda t: t.decode([-1]), "Ids from 0 to"),
        (lambda t: t.encode("\ud83d"), "half a surrogate"),
    ],
)
def test_bad_input_is_told_what_was_expected(tokenizer, call, message):
    with pytest.raises(ValueError, match=message):
        call(tokenizer)
