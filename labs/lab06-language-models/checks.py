"""Hidden checks of Lab 6. They run outside of the student's process, on inputs drawn for each submission.

What an answer has to be comes from elsewhere than the solutions: merges and tokens by replacing in strings, rotation by
complex numbers, attention one query at a time, a LLaMA that reads the whole text anew, distributions token by token in
exact order, and for the draws a chi-square test. Work is counted by what the stand-in for attention is asked.
"""

import itertools
import math
from collections import Counter
from fractions import Fraction

import numpy as np
import scipy.stats

from course.lab.checking import CheckFailed, check, covers, expect, latitude, oracle

SLOW = 20.0  # seconds for a call that may ask a stand-in many times
PLAIN = {"temperature": 1.0, "top_k": None, "top_p": 1.0, "min_p": 0.0}
N_DRAWS = 20_000
RAREST = 1e-9  # probability by chance that a right sampler fails one chi-square test
ASKED = []  # tokens in each question to the stand-in for attention, and tokens in its cache


# Task 1: train_merges


def _joined(text, pair, token):
    """A text whose characters are tokens, with a pair replaced; str.replace goes from left to right."""
    return text.replace(chr(pair[0]) + chr(pair[1]), chr(token))


@oracle("train_merges")
def train_merges(texts, n_merges):
    """By replacing in strings of one character a token."""
    if n_merges < 0:
        raise ValueError(f"{n_merges} merges are fewer than none.")
    rows, merges = [text.encode().decode("latin-1") for text in texts], []
    for k in range(n_merges):
        counts = Counter()
        for row in rows:
            counts.update(itertools.pairwise(row))
        often = max(counts.values(), default=0)
        if often < 2:
            break
        left, right = min(pair for pair, count in counts.items() if count == often)
        merges.append((ord(left), ord(right)))
        rows = [_joined(row, merges[-1], 256 + k) for row in rows]
    return merges


@covers("train_merges")
def are_texts(texts, n_merges):
    """A list of texts and a whole number."""
    whole = isinstance(n_merges, int) and not isinstance(n_merges, bool)
    return whole and isinstance(texts, list) and all(isinstance(text, str) for text in texts)


@latitude("train_merges")
def same_pairs(arguments, reference, given):
    """Pairs may be lists."""
    return isinstance(given, list) and [tuple(pair) for pair in given] == reference


def _merges(given):
    """A list of pairs of whole numbers, with its form checked."""
    expect.true(isinstance(given, list), "Return a list of (left, right) pairs.")
    for pair in given:
        expect.true(isinstance(pair, (tuple, list)) and len(pair) == 2, "Each merge is a pair of two tokens.")
        expect.true(all(type(token) is int for token in pair), "Tokens are integers.")
    return [tuple(pair) for pair in given]


def _text(rng, letters, length):
    return "".join(rng.choice(list(letters), length).tolist())


@check("train_merges", hint="Draw short texts of two or three letters and go through counts and joins on paper.")
def learns_what_counting_says(student, rng):
    for letters, length in (("ab", 12), ("abc", 25), ("abcd ", 80)):
        texts = [_text(rng, letters, length) for _ in range(3)]
        expect.equal(_merges(student(texts, 6)), train_merges(texts, 6))


@check(
    "train_merges",
    hint="Two pairs that are equally frequent: the order of tokens decides, not which stands first in the texts.",
)
def breaks_ties_as_stated(student, rng):
    for _ in range(4):
        pairs = ["".join(pair) for pair in rng.permutation(list("abcdefghijklmnop")).reshape(8, 2)]
        texts = [pair * 2 for pair in rng.permutation(pairs).tolist()]
        expect.equal(_merges(student(texts, 5)), train_merges(texts, 5))
    texts = ["bcbc", "bbb", "adad"]  # the left tokens of two differ, and those of two others do not
    expect.equal(_merges(student(texts, 3)), train_merges(texts, 3))
    texts = ["azaz", "abab", "amam"]
    expect.equal(_merges(student(texts, 3)), train_merges(texts, 3))


@check("train_merges", hint="Long runs of one letter: how many pairs do they have, and what is left after joining?")
def counts_and_joins_runs(student, rng):
    for length in (2, 3, 4, 5, 9, int(rng.integers(20, 60))):
        expect.equal(_merges(student(["a" * length], 8)), train_merges(["a" * length], 8))
    texts = ["a" * 4 + "bc" * 2, "bc"]  # aa three times because it overlaps, bc three times
    expect.equal(_merges(student(texts, 2)), train_merges(texts, 2))


@check("train_merges", hint="Characters beyond ASCII are several bytes each, and merges join bytes within them.")
def works_on_bytes(student, rng):
    for alphabet in ("äöüß", "дом ", "東京都", "🙂🙃"):
        texts = [_text(rng, alphabet, 20) for _ in range(3)]
        expect.equal(_merges(student(texts, 8)), train_merges(texts, 8))


@check("train_merges", hint="The last token of a text and the first of the next are no neighbours, not even later on.")
def keeps_texts_apart(student, rng):
    texts = rng.permutation(["ab", "cab", "bca", "ab", "bc", "c", "ca", "a", "b"]).tolist()
    expect.equal(_merges(student(texts, 6)), train_merges(texts, 6))


@check(
    "train_merges",
    hint="Ask for many more merges than there are repeated pairs, for none, for no texts, for texts of one letter.",
)
def stops_in_time(student, rng):
    for texts in ([], [""], ["a"], ["ab"], ["abcdefg"], ["", "ab", "", "ab"], [_text(rng, "ab", 15)]):
        expect.equal(_merges(student(texts, 50)), train_merges(texts, 50))
        expect.equal(_merges(student(texts, 0)), [])


@check("train_merges", hint="Learn 40 merges from a few sentences: tokens are joined to longer and longer ones.")
def joins_joined_tokens(student, rng):
    words = ["account", "balance", "card", "lost", "my", "is", "the", "please", "transfer", "to"]
    texts = [" ".join(rng.choice(words, 12).tolist()) for _ in range(8)]
    expect.equal(_merges(student(texts, 40, seconds=SLOW)), train_merges(texts, 40))


@check("train_merges", hint="A negative number of merges raises ValueError, with texts and without.")
def refuses_negative_numbers(student, rng):
    for texts in ([], ["abab"]):
        for n_merges in (-1, -int(rng.integers(2, 9))):
            expect.raises(student, ValueError, texts, n_merges)


# Task 2: encode


def _bytes_of(data):
    given = list(data.encode()) if isinstance(data, str) else list(data)
    if any(byte not in range(256) for byte in given):
        raise ValueError("Not all of these are bytes.")
    return given


@oracle("encode")
def encode(data, merges):
    """One merge after the other, over all of the text: what a merge makes is no part of any before it."""
    text = "".join(map(chr, _bytes_of(data)))
    for k, pair in enumerate(merges):
        text = _joined(text, pair, 256 + k)
    return [ord(token) for token in text]


@covers("encode")
def are_bytes_and_merges(data, merges):
    """Text or a list of integers; different pairs of tokens that exist by then."""
    whole = isinstance(data, str) or (isinstance(data, list) and all(type(one) is int for one in data))
    return whole and _are_merges(merges)


def _are_merges(merges):
    if not isinstance(merges, list) or len(set(merges)) < len(merges):
        return False
    pairs = all(isinstance(pair, tuple) and len(pair) == 2 for pair in merges)
    return pairs and all(0 <= token < 256 + k for k, pair in enumerate(merges) for token in pair)


def _some_merges(rng, letters, n_merges):
    """Different pairs of tokens that exist by then, in any order; the first half of them are pairs of letters."""
    pairs = [(ord(left), ord(right)) for left in letters for right in letters]
    merges = [pairs[place] for place in rng.permutation(len(pairs))[: n_merges // 2]]
    tokens = [ord(letter) for letter in letters] + [256 + k for k in range(len(merges))]
    while len(merges) < n_merges:
        pair = tuple(int(token) for token in rng.choice(tokens, 2))
        if pair not in merges:
            merges.append(pair)
            tokens.append(255 + len(merges))
    return merges


def _tokens(given):
    """A list of whole numbers, with its form checked."""
    expect.true(isinstance(given, list), "Return a list of integers.")
    expect.true(all(type(token) is int for token in given), "Return a list of integers.")
    return given


@check(
    "encode", hint="Merges in any order: what counts is which was learned first, not where it stands or how long it is."
)
def joins_by_rank(student, rng):
    for letters, n_merges in (("ab", 5), ("abc", 12), ("abcd", 30)):
        merges = _some_merges(rng, letters, n_merges)
        for length in (5, 20, 60):
            text = _text(rng, letters, length)
            expect.equal(_tokens(student(text, merges)), encode(text, merges))


@check("encode", hint="Learn merges from some texts and encode others, which the merges were not learned from.")
def encodes_new_text(student, rng):
    texts = [_text(rng, "etaoin ", 120) for _ in range(4)]
    merges = train_merges(texts[:2], 40)
    for text in texts:
        expect.equal(_tokens(student(text, merges)), encode(text, merges))


@check("encode", hint="Runs of one letter are joined from the left, and what is joined may be joined again.")
def joins_from_the_left(student, rng):
    merges = [(97, 97), (256, 97), (256, 256), (258, 258)]
    for length in (*range(1, 12), int(rng.integers(20, 50))):
        for known in (merges, merges[:1], [merges[0], (256, 256)]):
            expect.equal(_tokens(student("a" * length, known)), encode("a" * length, known))


@check("encode", hint="Any bytes, all 256 of them, whether they are valid UTF-8 or not: decoding gives them back.")
def takes_any_bytes(student, rng):
    everyone = rng.permutation(256).tolist()
    merges = [(everyone[0], everyone[1]), (everyone[2], everyone[3]), (256, everyone[2])]
    for data in (everyone, rng.integers(128, 256, 40).tolist(), [255, 254, 0, 0], everyone + everyone):
        tokens = _tokens(student(data, merges))
        expect.equal(decode(tokens, merges), data)
        expect.equal(tokens, encode(data, merges))


@check("encode", hint="A text and the list of its bytes have the same tokens, in any language.")
def takes_text_and_bytes_alike(student, rng):
    merges = train_merges(["größe über äöü 東京 🙂🙂"] * 2, 15)
    for text in ("größe", "über 東京", "🙂🙃", "\x00\t\n"):
        want = encode(text, merges)
        expect.equal(_tokens(student(text, merges)), want)
        expect.equal(_tokens(student(list(text.encode()), merges)), want)


@check("encode", hint="Try nothing, one byte, and two bytes, with merges and without; as text and as a list.")
def takes_short_input(student, rng):
    for data in ("", [], "q", [7], "qq", [200, 201]):
        for merges in ([], [(97, 98)], [(113, 113)]):
            expect.equal(_tokens(student(data, merges)), encode(data, merges))


@check("encode", hint="Numbers below 0 or above 255 raise ValueError, wherever they stand.")
def refuses_what_is_no_byte(student, rng):
    for wrong in (256, -1, 300, -256):
        data = rng.integers(0, 256, 6).tolist()
        data[int(rng.integers(6))] = wrong
        expect.raises(student, ValueError, data, [(97, 98)])
    expect.raises(student, ValueError, [256], [])
    expect.raises(student, ValueError, [-1], [])


@check("encode", hint="A page of text, 4,000 bytes and 200 merges, takes a moment: join all occurrences in one pass.")
def encodes_a_page(student, rng):
    words = [_text(rng, "etaoinshr", int(rng.integers(2, 8))) for _ in range(60)]
    text = " ".join(rng.choice(words, 700).tolist())[:4000]
    merges = train_merges([text], 200)
    expect.equal(_tokens(student(text, merges, seconds=10.0)), encode(text, merges))


# Task 3: decode


@oracle("decode")
def decode(tokens, merges):
    """Each token taken apart until bytes are left, with a list of what is still to do."""
    if any(token < 0 or token > 255 + len(merges) for token in tokens):
        raise ValueError("Not all of these are tokens of these merges.")
    data, left = [], list(tokens)[::-1]
    while left:
        token = left.pop()
        if token < 256:
            data.append(token)
        else:
            left.extend(merges[token - 256][::-1])
    return data


@covers("decode")
def are_tokens_and_merges(tokens, merges):
    """Lists of whole numbers and of pairs."""
    return isinstance(tokens, list) and all(type(one) is int for one in tokens) and _are_merges(merges)


@check("decode", hint="Any tokens in any order: each stands for the bytes of its left part, then of its right part.")
def spells_any_tokens(student, rng):
    for letters, n_merges in (("ab", 4), ("xyz", 15), ("\x00\x7f\x80\xff", 40)):
        merges = _some_merges(rng, letters, n_merges)
        tokens = rng.integers(0, 256 + n_merges, 25).tolist()
        expect.equal(_tokens(student(tokens, merges)), decode(tokens, merges))


@check("decode", hint="What was encoded comes back, byte by byte.")
def gives_back_what_was_encoded(student, rng):
    text = _text(rng, "ab é東", 60)
    merges = train_merges([text], 25)
    expect.equal(_tokens(student(encode(text, merges), merges)), list(text.encode()))
    data = rng.integers(0, 256, 100).tolist()
    expect.equal(_tokens(student(encode(data, merges), merges)), data)


@check("decode", hint="Half a character, a lone continuation byte, bytes 254 and 255: they come out as they are.")
def keeps_what_is_no_text(student, rng):
    merges = [(195, 40), (240, 159), (255, 254), (257, 128)]
    for tokens in ([195], [169, 195], [256, 257], [258, 259, 192], rng.integers(128, 260, 20).tolist()):
        expect.equal(_tokens(student(tokens, merges)), decode(tokens, merges))


@check("decode", hint="No tokens; one token; no merges; the last token that there is.")
def spells_short_lists(student, rng):
    merges = _some_merges(rng, "pq", 5)
    for tokens in ([], [0], [255], [256], [260]):
        expect.equal(_tokens(student(tokens, merges)), decode(tokens, merges))
    expect.equal(_tokens(student([], [])), [])
    expect.equal(_tokens(student([0, 255], [])), [0, 255])


@check("decode", hint="Merges that stand on one another 1,500 deep: build tokens up, in place of a function in itself.")
def spells_deep_merges(student, rng):
    merges = [(97, 98)] + [(256 + k, int(byte)) for k, byte in enumerate(rng.integers(0, 256, 1499))]
    expect.equal(_tokens(student([1755, 99, 1000], merges)), decode([1755, 99, 1000], merges))


@check("decode", hint="Tokens that no merge makes: one too many, and negative ones, which a list would accept.")
def refuses_unknown_tokens(student, rng):
    merges = _some_merges(rng, "pq", 5)
    for wrong in ([261], [97, 300], [-1], [256, -256, 97]):
        expect.raises(student, ValueError, wrong, merges)
    expect.raises(student, ValueError, [256], [])


# Task 4: rotate


@oracle("rotate")
def rotate(x, positions, theta):
    """By complex numbers, with angles from logarithms."""
    x, positions = np.asarray(x, dtype=float), np.asarray(positions)
    width = x.shape[-1]
    if width % 2 or positions.shape != (x.shape[-2],):
        raise ValueError(f"Vectors {x.shape} do not go with {positions.shape} positions, or have an odd width.")
    points = x[..., : width // 2] + 1j * x[..., width // 2 :]
    turns = np.exp(-np.log(theta) * np.arange(0, width, 2) / width)
    points = points * np.exp(1j * positions[:, np.newaxis] * turns)
    return np.concatenate([points.real, points.imag], axis=-1)


@covers("rotate")
def are_vectors_and_positions(x, positions, theta):
    """Arrays of finite numbers, positions of 0 or more, theta above 1."""
    arrays = isinstance(x, np.ndarray) and x.ndim >= 2 and x.dtype.kind == "f" and isinstance(positions, np.ndarray)
    if not arrays or positions.dtype.kind not in "iu" or positions.ndim != 1 or not isinstance(theta, float):
        return False
    usual = bool(np.all(np.abs(x) < 1e6) and np.all(positions >= 0) and np.all(positions < 1e7))
    return usual and 1 < theta < 1e9 and x.shape[-1] > 0


def _turned(given, shape):
    return expect.array(given, shape, dtype="float")


@check("rotate", hint="Components i and i + d/2 as one complex number: turning is multiplying by exp(1j * angle).")
def turns_pairs(student, rng):
    for n, width, theta in ((1, 2, 1e4), (5, 8, 1e4), (7, 64, 5e5), (3, 6, 100.0)):
        x, positions = rng.normal(size=(n, width)), np.arange(n) + int(rng.integers(1, 50))
        expect.close(_turned(student(x, positions, theta), x.shape), rotate(x, positions, theta), atol=1e-8)


@check("rotate", hint="Batches and heads are axes in front; all of them turn alike.")
def takes_any_axes_in_front(student, rng):
    for shape in ((3, 5, 8), (2, 3, 4, 6), (1, 1, 1, 2), (4, 4, 4), (1, 2, 2, 3, 4)):
        x, positions = rng.normal(size=shape), rng.integers(0, 90, shape[-2])
        expect.close(_turned(student(x, positions, 1e4), shape), rotate(x, positions, 1e4), atol=1e-8)


@check("rotate", hint="Positions in any order, with gaps, twice the same: it is the numbers that count, not the rows.")
def goes_by_the_positions(student, rng):
    x = rng.normal(size=(6, 8))
    for positions in ([9, 3, 3, 0, 77, 1], [5] * 6, [100, 99, 98, 97, 96, 95], [0] * 6):
        positions = np.array(positions)
        expect.close(_turned(student(x, positions, 1e4), x.shape), rotate(x, positions, 1e4), atol=1e-8)


@check("rotate", hint="Position 0 changes nothing, and no position changes a vector's length.")
def keeps_lengths(student, rng):
    x, far = rng.normal(size=(2, 4, 10)), rng.integers(0, 10_000, 4)
    expect.close(_turned(student(x, np.zeros(4, dtype=int), 1e4), x.shape), x, atol=1e-12)
    turned = _turned(student(x, far, 1e4), x.shape)
    expect.close(np.linalg.norm(turned, axis=-1), np.linalg.norm(x, axis=-1), atol=1e-9)


@check("rotate", hint="Move queries and keys by the same number of positions: their products stay.")
def depends_on_distance_alone(student, rng):
    q, k = rng.normal(size=(2, 5, 16))
    places, moved = np.arange(5), np.arange(5) + int(rng.integers(100, 3000))
    here = _turned(student(q, places, 1e4), q.shape) @ _turned(student(k, places, 1e4), k.shape).T
    there = _turned(student(q, moved, 1e4), q.shape) @ _turned(student(k, moved, 1e4), k.shape).T
    expect.close(here, there, atol=1e-8)


@check("rotate", hint="Positions far out, 100,000 and more, in whole numbers of any size: compute angles as floats.")
def turns_far_positions(student, rng):
    x = rng.normal(size=(4, 8))
    for dtype in (np.int64, np.int32):
        positions = rng.integers(90_000, 200_000, 4).astype(dtype)
        expect.close(_turned(student(x, positions, 1e4), x.shape), rotate(x, positions, 1e4), atol=1e-6)


@check("rotate", hint="Odd widths, fewer or more positions than rows, also where one would fit by broadcasting.")
def refuses_what_does_not_fit(student, rng):
    for shape, n in (((4, 5), 4), ((4, 6), 3), ((4, 6), 5), ((4, 6), 1), ((2, 4, 6), 2), ((1, 6), 2), ((3, 1), 3)):
        expect.raises(student, ValueError, rng.normal(size=shape), np.arange(n), 1e4)


# Task 5: attention


@oracle("attention")
def attention(queries, keys, values, past, theta):
    """One query after the other, each with just the keys that it sees."""
    n_heads, n, width = np.shape(queries)
    n_kv_heads = len(keys)
    if n_heads % n_kv_heads:
        raise ValueError(f"{n_heads} heads of queries are no multiple of {n_kv_heads}.")
    m = 0 if past is None else np.shape(past[0])[1]
    ASKED.append((n, m))
    places = m + np.arange(n)
    kept_keys, kept_values = rotate(keys, places, theta), np.asarray(values, dtype=float)
    if past is not None:
        kept_keys = np.append(past[0], kept_keys, axis=1)
        kept_values = np.append(past[1], kept_values, axis=1)
    asked = rotate(queries, places, theta).reshape(n_kv_heads, -1, n, width)
    mixed = np.zeros(asked.shape)
    for j in range(n):
        seen = slice(m + j + 1)
        scores = np.einsum("ghd,gtd->ght", asked[:, :, j], kept_keys[:, seen]) / math.sqrt(width)
        shares = np.exp(scores - np.logaddexp.reduce(scores, axis=-1, keepdims=True))
        mixed[:, :, j] = np.einsum("ght,gtd->ghd", shares, kept_values[:, seen])
    return mixed.reshape(n_heads, n, width), (kept_keys, kept_values)


@covers("attention")
def are_heads_and_a_cache(queries, keys, values, past, theta):
    """Finite arrays of three axes that fit one another."""
    arrays = [queries, keys, values, *(past or ())]
    if not all(isinstance(one, np.ndarray) and one.ndim == 3 and one.dtype.kind == "f" for one in arrays):
        return False
    if not all(one.size and np.all(np.abs(one) < 1e5) for one in arrays) or not isinstance(theta, float) or theta <= 1:
        return False
    new = keys.shape == values.shape and queries.shape[1:] == keys.shape[1:] and not queries.shape[2] % 2
    old = past is None or (past[0].shape == past[1].shape and past[0].shape[::2] == keys.shape[::2])
    return new and old


@latitude("attention")
def mixed_alike(arguments, reference, given):
    """Tuples or lists, and small errors of rounding."""
    mixed, past = given
    pairs = [(reference[0], mixed), *zip(reference[1], past, strict=True)]
    return all(np.shape(a) == np.shape(b) and np.allclose(a, b, rtol=1e-6, atol=1e-6) for a, b in pairs)


def _layer(rng, n_heads, n_kv_heads, n, width, size=1.0):
    shapes = (n_heads, n, width), (n_kv_heads, n, width), (n_kv_heads, n, width)
    return tuple(size * rng.normal(size=shape) for shape in shapes)


def _mixed(given, queries, keys, m):
    """What attention returns, with its form checked."""
    expect.true(isinstance(given, (tuple, list)) and len(given) == 2, "Return two things: mixed and past.")
    mixed, past = given
    expect.array(mixed, queries.shape, dtype="float", hint="mixed has the shape of the queries, and is finite.")
    expect.true(isinstance(past, (tuple, list)) and len(past) == 2, "past is a pair: keys and values.")
    for one in past:
        shape = (len(keys), m + keys.shape[1], keys.shape[2])
        expect.array(one, shape, hint="past holds m + n keys, and as many values, for each key head.")
    return mixed, tuple(past)


def _compare(given, want, queries, keys, m, atol=1e-7):
    mixed, past = _mixed(given, queries, keys, m)
    expect.close(mixed, want[0], atol=atol)
    expect.close(past[0], want[1][0], atol=atol)
    expect.close(past[1], want[1][1], atol=atol)
    return past


@check("attention", hint="Without a cache: one query at a time, over just the keys up to it, gives the same.")
def mixes_what_each_token_sees(student, rng):
    for n_heads, n_kv_heads, n, width in ((1, 1, 1, 2), (2, 2, 5, 4), (3, 1, 7, 8), (4, 4, 2, 16)):
        layer = _layer(rng, n_heads, n_kv_heads, n, width)
        _compare(student(*layer, None, 1e4), attention(*layer, None, 1e4), *layer[:2], 0)


@check(
    "attention", hint="Six query heads and two or three key heads: neighbours share, so heads 0 and 1 read the same."
)
def shares_key_heads(student, rng):
    for n_heads, n_kv_heads in ((6, 2), (6, 3), (4, 2), (8, 1), (9, 3)):
        layer = _layer(rng, n_heads, n_kv_heads, 4, 6)
        _compare(student(*layer, None, 1e4), attention(*layer, None, 1e4), *layer[:2], 0)


@check("attention", hint="Cut a text into chunks of any sizes: with the cache it has to come to the same as in one go.")
def is_the_same_in_chunks(student, rng):
    q, k, v = _layer(rng, 4, 2, 11, 8)
    want, (want_keys, want_values) = attention(q, k, v, None, 1e4)
    for cuts in ([0, 11], [0, 1, 2, 11], [0, 5, 6, 7, 11], list(range(12)), [0, 10, 11]):
        past, mixed = None, []
        for start, end in itertools.pairwise(cuts):
            new = tuple(one[:, start:end] for one in (q, k, v))
            part, past = _mixed(student(*new, past, 1e4), *new[:2], start)
            mixed.append(part)
        expect.close(np.concatenate(mixed, axis=1), want, atol=1e-7)
        expect.close(past[0], want_keys, atol=1e-7)
        expect.close(past[1], want_values, atol=1e-7)


@check("attention", hint="A cache of any content, one token and several after it. The old keys are rotated already.")
def goes_on_where_the_cache_ends(student, rng):
    for m, n in ((1, 1), (9, 1), (4, 3), (30, 5), (2, 8)):
        layer, past = _layer(rng, 4, 2, n, 8), tuple(rng.normal(size=(2, 2, m, 8)))
        _compare(student(*layer, past, 5e5), attention(*layer, past, 5e5), *layer[:2], m)


@check("attention", hint="Change a later token, also one of the same chunk: earlier ones must not notice.")
def sees_no_later_token(student, rng):
    layer, past = _layer(rng, 2, 1, 6, 4), tuple(rng.normal(size=(2, 1, 3, 4)))
    before, _ = _mixed(student(*layer, past, 1e4), *layer[:2], 3)
    for one in layer:
        one[:, 4:] += rng.normal(size=one[:, 4:].shape)
    after, _ = _mixed(student(*layer, past, 1e4), *layer[:2], 3)
    expect.close(after[:, :4], before[:, :4], atol=1e-9)
    expect.true(bool(np.all(np.abs(after[:, 4:] - before[:, 4:]).max(axis=(0, 2)) > 1e-6)))


@check(
    "attention", hint="Queries and keys a hundred times as large: exp of a score of 10,000 overflows, unless shifted."
)
def stands_large_scores(student, rng):
    for size in (30.0, 300.0):
        q, k, v = _layer(rng, 4, 2, 6, 8)
        past = tuple(size * rng.normal(size=(2, 2, 4, 8)))
        given = student(size * q, size * k, v, past, 1e4)
        _compare(given, attention(size * q, size * k, v, past, 1e4), q, k, 4, atol=1e-5)
    q, k, v = _layer(rng, 1, 1, 5, 4)
    k[:] = -300 * q / np.abs(q).max()  # all scores far below zero
    _compare(student(300 * q, k, v, None, 1e4), attention(300 * q, k, v, None, 1e4), q, k, 0, atol=1e-5)


@check("attention", hint="Thirty query heads that do not divide, fewer query heads than key heads: ValueError.")
def refuses_heads_that_do_not_divide(student, rng):
    for n_heads, n_kv_heads in ((3, 2), (4, 3), (2, 4), (1, 2), (30, 8)):
        expect.raises(student, ValueError, *_layer(rng, n_heads, n_kv_heads, 2, 4), None, 1e4)


@check("attention", hint="One new token after 4,000 needs 4,000 products a head, not 4,000 times 4,000.")
def takes_a_step_at_once(student, rng):
    layer, past = _layer(rng, 8, 2, 1, 32), tuple(rng.normal(size=(2, 2, 4000, 32)))
    _compare(student(*layer, past, 1e4, seconds=4.0), attention(*layer, past, 1e4), *layer[:2], 4000, atol=1e-6)


# Task 6: sample


@oracle("sample")
def sample(logits, uniforms, settings):
    """Token by token, in the order of their rank; sums in fractions, which do not round."""
    logits = np.asarray(logits, dtype=float)
    temperature, top_k = settings["temperature"], settings["top_k"]
    top_p, min_p = settings["top_p"], settings["min_p"]
    if not temperature >= 0 or not (top_k is None or top_k >= 1) or not 0 < top_p <= 1 or not 0 <= min_p <= 1:
        raise ValueError("A setting is out of its range.")
    if logits.size == 0 or np.isnan(logits).any() or logits.max() in (np.inf, -np.inf):
        raise ValueError("There is no token to draw.")
    order = sorted(range(logits.size), key=lambda token: (-logits[token], token))
    if temperature == 0:
        kept = {order[0]: Fraction(1)}
    else:
        kept = _ones({token: Fraction(_share(logits[token] - logits.max(), temperature)) for token in order})
    if top_k is not None:
        kept = _ones({token: kept[token] for token in order[:top_k] if token in kept})
    kept = _ones(_nucleus(kept, Fraction(top_p))) if top_p < 1 else kept
    least = Fraction(min_p) * max(kept.values())
    kept = _ones({token: share for token, share in kept.items() if share >= least})
    probs = np.zeros(logits.size)
    for token, share in kept.items():
        probs[token] = float(share)
    return _drawn(probs, np.asarray(uniforms, dtype=float)), probs


def _share(below, temperature):
    return math.exp(below / temperature) if below > -np.inf else 0.0


def _ones(shares):
    total = sum(shares.values())
    return {token: share / total for token, share in shares.items()}


def _nucleus(shares, top_p):
    """The first tokens, in order of rank, up to the one that takes the sum to ``top_p``."""
    kept, total = {}, Fraction(0)
    for token, share in shares.items():
        kept[token] = share
        total += share
        if total >= top_p:
            break
    return kept


def _drawn(probs, uniforms):
    possible = np.flatnonzero(probs)
    places = np.searchsorted(np.cumsum(probs[possible])[:-1], uniforms, side="right")
    return possible[places]


@covers("sample")
def are_logits_and_settings(logits, uniforms, settings):
    """Real arrays of one axis, numbers from 0 to below 1, settings of the right types, no border hit by rounding."""
    arrays = [
        one for one in (logits, uniforms) if isinstance(one, np.ndarray) and one.ndim == 1 and one.dtype.kind == "f"
    ]
    if len(arrays) < 2 or not np.all((uniforms >= 0) & (uniforms < 1)) or not isinstance(settings, dict):
        return False
    if set(settings) != set(PLAIN) or not (settings["top_k"] is None or type(settings["top_k"]) is int):
        return False
    numbers = [settings[name] for name in ("temperature", "top_p", "min_p")]
    finite = np.abs(logits[np.isfinite(logits)])
    usual = all(isinstance(one, (int, float)) for one in numbers) and (finite.size == 0 or finite.max() < 1e5)
    return bool(usual and (settings["temperature"] <= 0 or settings["temperature"] > 1e-3)) and _no_border(
        logits, settings
    )


def _no_border(logits, settings):
    """Whether rounding cannot decide what a filter keeps: a small change of its number keeps the same tokens."""
    if np.all(logits == 0) and logits.size in (2, 4, 8, 16):
        return True
    kept = []
    for way in (1 - 1e-9, 1, 1 + 1e-9):
        moved = settings | {"top_p": settings["top_p"], "min_p": settings["min_p"] * way}
        if settings["top_p"] < 1:
            moved["top_p"] = min(settings["top_p"] * way, 1.0)
        if settings["min_p"] == 1:
            moved["min_p"] = 1
        try:
            kept.append(tuple(np.flatnonzero(sample(logits, np.zeros(0), moved)[1])))
        except ValueError:
            return True
    return len(set(kept)) == 1


@latitude("sample")
def drawn_alike(arguments, reference, given):
    """Small errors of rounding in the probabilities; another token where a number lies on a border."""
    tokens, probs = given
    if np.shape(probs) != np.shape(reference[1]) or not np.allclose(probs, reference[1], rtol=1e-7, atol=1e-12):
        return False
    if np.shape(tokens) != np.shape(reference[0]) or np.asarray(tokens).dtype.kind not in "iu":
        return np.size(tokens) == 0 and np.shape(tokens) == np.shape(reference[0])
    edges = np.cumsum(reference[1])
    differ = np.asarray(tokens) != reference[0]
    near = np.abs(edges[:, np.newaxis] - arguments[1]).min(axis=0) < 1e-12
    return bool(np.all(~differ | near)) and bool(np.all(np.asarray(probs)[tokens] > 0))


def _draws(given, n_vocab, n):
    """What sample returns, with its form checked."""
    expect.true(isinstance(given, (tuple, list)) and len(given) == 2, "Return two things: tokens and probabilities.")
    tokens, probs = given
    expect.array(tokens, (n,) if n else None, dtype="int" if n else None, hint="tokens are n integers, an array.")
    expect.array(probs, (n_vocab,), dtype="float", hint="probs has a number for each token, all of them finite.")
    return tokens, probs


def _same_probs(student, logits, settings, atol=1e-9):
    _, probs = _draws(student(logits, np.zeros(0), settings), len(logits), 0)
    want = sample(logits, np.zeros(0), settings)[1]
    expect.close(probs, want, atol=atol)
    expect.equal((probs > 0).tolist(), (want > 0).tolist())


@check("sample", hint="Temperature divides the logits, before the softmax and before every filter.")
def cools_and_heats(student, rng):
    for temperature in (0.1, 0.5, 1.0, 2.0, 10.0, 1):
        _same_probs(student, rng.normal(0, 2, 20), PLAIN | {"temperature": temperature})


@check("sample", hint="Top-k for any k, from 1 to more than there are tokens; the numbers are those of the logits.")
def keeps_the_k_largest(student, rng):
    for top_k in (1, 2, 7, 19, 20, 21, 1000):
        _same_probs(student, rng.normal(0, 2, 20), PLAIN | {"top_k": top_k})


@check(
    "sample", hint="Top-p: the token that takes the sum to p is kept, and nothing after it. One token is always kept."
)
def keeps_the_nucleus(student, rng):
    for top_p in (1e-6, 0.1, 0.3, 0.5, 0.8, 0.9, 0.99, 0.999999):
        _same_probs(student, rng.normal(0, 2, 20), PLAIN | {"top_p": top_p})


@check(
    "sample", hint="Min-p is a share of the largest probability, not a probability; with 1 only the largest is left."
)
def keeps_a_share_of_the_largest(student, rng):
    for min_p in (0.0, 0.01, 0.05, 0.2, 0.7, 1.0, 1):
        _same_probs(student, rng.normal(0, 2, 20), PLAIN | {"min_p": min_p})


@check("sample", hint="All at once: temperature, top-k, top-p, min-p, and the sum is 1 again before each next filter.")
def filters_in_order(student, rng):
    for _ in range(25):
        settings = {
            "temperature": float(rng.uniform(0.3, 3)),
            "top_k": int(rng.integers(2, 15)),
            "top_p": float(rng.uniform(0.2, 0.99)),
            "min_p": float(rng.uniform(0.01, 0.6)),
        }
        logits = rng.normal(0, 1.5, 20)
        if _no_border(logits, settings):
            _same_probs(student, logits, settings)


@check("sample", hint="Temperature 0 is the first of the largest logits, with any filters, and without dividing by it.")
def takes_the_largest_at_temperature_zero(student, rng):
    for filters in ({}, {"top_k": 5}, {"top_p": 0.9, "min_p": 0.1}, {"min_p": 1.0}):
        for temperature in (0, 0.0):
            logits = rng.normal(0, 3, 12)
            logits[rng.permutation(12)[:3]] = 9.0
            _same_probs(student, logits, PLAIN | filters | {"temperature": temperature})
            tokens, _ = _draws(student(logits, rng.random(5), PLAIN | {"temperature": temperature}), 12, 5)
            expect.equal(tokens.tolist(), [int(logits.argmax())] * 5)


@check("sample", hint="Tokens that are equally probable: exactly k stay, and those with the smaller numbers.")
def breaks_equals_by_number(student, rng):
    for top_k in (1, 3, 8, 9):
        _same_probs(student, np.zeros(8), PLAIN | {"top_k": top_k})
        _same_probs(student, np.repeat(rng.permutation(3).astype(float), 4), PLAIN | {"top_k": top_k})
    for top_p in (0.125, 0.25, 0.3, 0.5, 0.75, 0.875):
        _same_probs(student, np.zeros(8), PLAIN | {"top_p": top_p})
    for min_p in (0.5, 1.0):
        _same_probs(student, np.zeros(4), PLAIN | {"min_p": min_p})


@check("sample", hint="top_p 1, min_p 0 and no top-k remove nothing, however rare a token is and however sums round.")
def removes_nothing_unasked(student, rng):
    logits = np.concatenate([rng.normal(0, 1, 200), [-40.0, -80.0, -300.0]])
    _same_probs(student, logits, PLAIN)
    _same_probs(student, logits, PLAIN | {"top_p": 1, "top_k": 203})
    _same_probs(student, np.zeros(7), PLAIN | {"top_p": 1.0})
    _same_probs(student, np.array([-80.0, 0.0, -40.0]), PLAIN)


@check("sample", hint="Forbidden tokens have the logit -inf: probability 0, through every filter, and no NaN.")
def stands_forbidden_tokens(student, rng):
    for filters in (
        {},
        {"top_k": 3},
        {"top_k": 9},
        {"top_p": 0.9},
        {"min_p": 0.1},
        {"temperature": 0},
        {"temperature": 5.0},
    ):
        logits = rng.normal(0, 2, 10)
        logits[rng.permutation(10)[:6]] = -np.inf
        _same_probs(student, logits, PLAIN | filters)
        tokens, _ = _draws(student(logits, np.linspace(0, 1, 40, endpoint=False), PLAIN | filters), 10, 40)
        expect.true(np.isfinite(logits[tokens]))


@check("sample", hint="Logits of 10,000 and of -10,000, low temperatures: subtract the largest before np.exp.")
def stands_large_logits(student, rng):
    for shift in (1e4, -1e4):
        for temperature in (0.02, 1.0):
            _same_probs(student, shift + rng.normal(0, 2, 10), PLAIN | {"temperature": temperature}, atol=1e-7)
    _same_probs(student, np.array([1e4, 0.0, -1e4]), PLAIN | {"min_p": 0.1})


@check("sample", hint="Draw 20,000 times: each token comes as often as its probability says, by a chi-square test.")
def draws_as_often_as_it_should(student, rng):
    for filters in ({}, {"temperature": 0.7, "top_k": 12}, {"top_p": 0.9}, {"temperature": 1.5, "min_p": 0.1}):
        logits, settings = rng.normal(0, 1.2, 16), PLAIN | filters
        tokens, probs = _draws(student(logits, rng.random(N_DRAWS), settings), 16, N_DRAWS)
        want = sample(logits, np.zeros(0), settings)[1]
        expect.true(bool(np.all((tokens >= 0) & (tokens < 16))))
        counts, possible = np.bincount(tokens, minlength=16), want > 0
        expect.equal(int(counts[~possible].sum()), 0)
        expected = N_DRAWS * want[possible] / want.sum()
        chance = scipy.stats.chisquare(counts[possible], expected, sum_check=False).pvalue
        if not chance > RAREST:
            raise CheckFailed(f"chi-square: frequencies this far off have the probability {chance:.2g}")
        expect.close(probs, want, atol=1e-9)


@check("sample", hint="Which token does a number draw? Add up by token number; the first sum greater than it decides.")
def draws_the_stated_token(student, rng):
    for settings in (PLAIN, PLAIN | {"top_k": 5}, PLAIN | {"top_p": 0.8, "temperature": 2.0}):
        logits, uniforms = rng.normal(0, 2, 25), rng.random(200)
        tokens, _ = _draws(student(logits, uniforms, settings), 25, 200)
        expect.equal(tokens.tolist(), sample(logits, uniforms, settings)[0].tolist())
    tokens, _ = _draws(student(np.zeros(4), np.array([0.0, 0.25, 0.5, 0.75]), PLAIN), 4, 4)
    expect.equal(tokens.tolist(), [0, 1, 2, 3])


@check("sample", hint="0 and the largest number below 1, where sums round and first or last tokens are impossible.")
def draws_at_both_ends(student, rng):
    ends = np.array([0.0, 1 - 2**-53, 1 - 2**-52, 2**-60])
    for setting in ({}, {"top_k": 1}, {"top_p": 0.5}, {"min_p": 1.0}):
        tokens, probs = _draws(student(rng.normal(0, 1, 1), ends, PLAIN | setting), 1, 4)
        expect.equal((tokens.tolist(), probs.tolist()), ([0] * 4, [1.0]))
    for n in (3, 7, 10, 49, 1000):
        logits = rng.normal(0, 1, n)
        logits[[0, -1]] = -np.inf
        tokens, probs = _draws(student(logits, ends, PLAIN), n, 4)
        expect.true(bool(np.all((tokens > 0) & (tokens < n - 1))))
        expect.equal(tokens[[0, 1]].tolist(), [1, n - 2])
    tokens, _ = _draws(student(np.zeros(10), ends, PLAIN | {"top_k": 3}), 10, 4)
    expect.equal(tokens.tolist(), [0, 2, 2, 0])


@check("sample", hint="Go through what the docstring says raises ValueError: each setting, each kind of logits.")
def refuses_wrong_settings(student, rng):
    logits, one = rng.normal(0, 1, 6), np.array([0.5])
    for wrong in (
        {"temperature": -0.1},
        {"temperature": -3},
        {"top_k": 0},
        {"top_k": -1},
        {"top_p": 0.0},
        {"top_p": -0.5},
        {"top_p": 1.5},
        {"min_p": -0.1},
        {"min_p": 1.01},
    ):
        expect.raises(student, ValueError, logits, one, PLAIN | wrong)
    for place, value in ((2, np.nan), (3, np.inf)):
        broken = logits.copy()
        broken[place] = value
        expect.raises(student, ValueError, broken, one, PLAIN)
    expect.raises(student, ValueError, np.full(4, -np.inf), one, PLAIN)
    expect.raises(student, ValueError, np.zeros(0), one, PLAIN)


# Task 7: generate


def _model(rng, n_vocab=13, n_layers=2, n_heads=4, n_kv_heads=2, width=4):
    """Random weights of a tiny LLaMA, of the form that the lab describes."""
    hidden, inner = n_heads * width, 20

    def matrix(n_in, n_out):
        return rng.normal(0, 1 / math.sqrt(n_in), (n_in, n_out))

    layers = [
        {
            "norm_1": rng.uniform(0.5, 1.5, hidden),
            "norm_2": rng.uniform(0.5, 1.5, hidden),
            "query": matrix(hidden, hidden),
            "key": matrix(hidden, n_kv_heads * width),
            "value": matrix(hidden, n_kv_heads * width),
            "output": matrix(hidden, hidden),
            "gate": matrix(hidden, inner),
            "up": matrix(hidden, inner),
            "down": matrix(inner, hidden),
        }
        for _ in range(n_layers)
    ]
    embedding = rng.normal(0, 0.8, (n_vocab, hidden))
    return {"embedding": embedding, "norm": np.ones(hidden), "layers": layers, "head_dim": width, "theta": 1e4}


def _normed(x, weight):
    return weight * x / np.sqrt((x * x).mean(axis=1, keepdims=True) + 1e-5)


def _logits(model, tokens, mix):
    """The logits after every token; ``mix`` takes a layer's number, its queries, keys and values, and mixes them."""
    n, width = len(tokens), model["head_dim"]
    x = model["embedding"][list(tokens)]
    for number, layer in enumerate(model["layers"]):
        h = _normed(x, layer["norm_1"])
        qkv = (np.moveaxis((h @ layer[name]).reshape(n, -1, width), 1, 0) for name in ("query", "key", "value"))
        mixed = mix(number, *qkv)
        x = x + np.moveaxis(mixed, 0, 1).reshape(n, -1) @ layer["output"]
        h = _normed(x, layer["norm_2"])
        gate = h @ layer["gate"]
        x = x + (gate / (1 + np.exp(-gate)) * (h @ layer["up"])) @ layer["down"]
    return _normed(x, model["norm"]) @ model["embedding"].T


def _full_logits(model, tokens):
    """The logits after every token of a text that is read in one go, with no cache anywhere."""
    n = len(tokens)

    def mix(_number, q, k, v):
        q, k = rotate(q, np.arange(n), model["theta"]), rotate(k, np.arange(n), model["theta"])
        scores = np.einsum("ghnd,gtd->ghnt", q.reshape(len(k), -1, *q.shape[1:]), k) / math.sqrt(q.shape[2])
        shares = np.exp(scores) * np.tri(n)
        shares /= shares.sum(axis=-1, keepdims=True)
        return np.einsum("ghnt,gtd->ghnd", shares, v).reshape(q.shape)

    return _logits(model, tokens, mix)


@oracle("generate")
def generate(model, prompt, uniforms, chunk, settings, stop):
    """Prompt and reply one token at a time, whatever the size of chunks."""
    if len(prompt) < 1 or chunk < 1:
        raise ValueError("A prompt and a size of chunks are needed.")
    pasts = [None] * len(model["layers"])

    def mix(number, q, k, v):
        mixed, pasts[number] = attention(q, k, v, pasts[number], model["theta"])
        return mixed

    *earlier, newest = prompt
    for token in earlier:
        _logits(model, [token], mix)
    tokens, rows = [], []
    for uniform in uniforms:
        rows.append(_logits(model, [newest], mix)[0])
        newest = int(sample(rows[-1], [uniform], settings)[0][0])
        tokens.append(newest)
        if newest == stop:
            break
    return tokens, np.reshape(rows, (len(rows), len(model["embedding"])))


@covers("generate")
def is_a_prompt_for_a_model(model, prompt, uniforms, chunk, settings, stop):
    """Known tokens, numbers from 0 to below 1, whole chunks, settings as sample takes them."""
    whole = isinstance(prompt, list) and all(type(one) is int and 0 <= one < len(model["embedding"]) for one in prompt)
    if not whole or not isinstance(uniforms, np.ndarray) or uniforms.ndim != 1 or uniforms.dtype.kind != "f":
        return False
    usual = (
        type(chunk) is int and bool(np.all((uniforms >= 0) & (uniforms < 1))) and (stop is None or type(stop) is int)
    )
    return usual and isinstance(settings, dict) and len(prompt) < 100 and len(uniforms) < 60


@latitude("generate")
def continued_alike(arguments, reference, given):
    """Small errors of rounding in the logits."""
    tokens, logits = given
    close = np.shape(logits) == np.shape(reference[1]) and np.allclose(logits, reference[1], rtol=1e-6, atol=1e-6)
    return isinstance(tokens, list) and tokens == reference[0] and bool(close)


GREEDY = PLAIN | {"temperature": 0}


def _continued(student, model, prompt, uniforms, chunk, settings, stop):
    """New tokens with their logits; form, logits and draws are held to one reading of the whole text."""
    given = student(model, prompt, uniforms, chunk, settings, stop, seconds=SLOW)
    expect.true(isinstance(given, (tuple, list)) and len(given) == 2, "Return two things: new tokens and logits.")
    tokens, logits = _tokens(given[0]), given[1]
    n_vocab = len(model["embedding"])
    expect.true(len(tokens) <= len(uniforms), "There are more new tokens than numbers to draw them.")
    expect.true(all(0 <= token < n_vocab for token in tokens), "Tokens are numbers of the vocabulary.")
    shape = "The logits have a row for each new token, and a column for each token of the vocabulary."
    expect.array(logits, hint=shape)
    expect.true(logits.shape == (len(tokens), n_vocab), shape)
    if tokens:
        expect.close(logits, _full_logits(model, [*prompt, *tokens])[len(prompt) - 1 : -1], atol=1e-6)
    for row, uniform, token in zip(logits, uniforms, tokens, strict=False):
        expect.equal(token, int(sample(row, [uniform], settings)[0][0]))
    ends = stop in tokens if stop is not None else False
    expect.equal(len(tokens), tokens.index(stop) + 1 if ends else len(uniforms))
    return tokens


def _prompt(rng, model, length):
    return rng.integers(0, len(model["embedding"]), length).tolist()


@check("generate", hint="Read your text in one go without a cache: its logits have to be those that you drew from.")
def agrees_with_one_reading(student, rng):
    for n_heads, n_kv_heads, length in ((4, 2, 6), (2, 2, 1), (3, 1, 9)):
        model = _model(rng, n_heads=n_heads, n_kv_heads=n_kv_heads)
        _continued(student, model, _prompt(rng, model, length), rng.random(7), 64, GREEDY, None)


@check("generate", hint="With a temperature: the i-th number draws the i-th new token, by sample and its settings.")
def draws_by_the_numbers(student, rng):
    model = _model(rng)
    for settings in (PLAIN, PLAIN | {"temperature": 3.0}, PLAIN | {"top_k": 4, "top_p": 0.9}):
        uniforms = rng.random(8)
        tokens = _continued(student, model, _prompt(rng, model, 5), uniforms, 3, settings, None)
        expect.equal(len(tokens), 8)


@check("generate", hint="Chunks of one, chunks that do not divide the prompt, chunks longer than it: the same text.")
def reads_in_chunks_of_any_size(student, rng):
    model = _model(rng, n_layers=3)
    prompt, uniforms = _prompt(rng, model, 10), rng.random(4)
    for chunk in (1, 2, 3, 7, 9, 10, 11, 500):
        ASKED.clear()
        _continued(student, model, prompt, uniforms, chunk, PLAIN, None)
        largest = max((n for n, _ in ASKED), default=0)
        expect.true(largest <= chunk, f"The prompt is read in pieces of at most {chunk} tokens; yours had {largest}.")


@check(
    "generate", hint="The text ends with the stop token, at once if it comes first; None and tokens that never come."
)
def ends_with_the_stop_token(student, rng):
    model = _model(rng, n_vocab=6)
    prompt, hot = _prompt(rng, model, 4), PLAIN | {"temperature": 5.0}
    for stop in (*range(6), None, 99):
        _continued(student, model, prompt, rng.random(12), 4, hot, stop)
    first = generate(model, prompt, [0.5], 4, GREEDY, None)[0][0]
    expect.equal(_continued(student, model, prompt, np.full(3, 0.5), 4, GREEDY, first), [first])


@check("generate", hint="One new token, and none: an empty list, and logits with no rows and a column for each token.")
def makes_few_tokens(student, rng):
    model = _model(rng)
    for n_new in (0, 1):
        for chunk in (1, 4):
            _continued(student, model, _prompt(rng, model, 3), rng.random(n_new), chunk, PLAIN, None)


@check(
    "generate", hint="Count the tokens that you give llama: each token of prompt and reply once, not the whole text."
)
def reads_each_token_once(student, rng):
    model = _model(rng, n_layers=1)
    for length, n_new, chunk in ((120, 20, 32), (10, 40, 64)):
        ASKED.clear()
        _continued(student, model, _prompt(rng, model, length), rng.random(n_new), chunk, PLAIN, None)
        read, text = sum(n for n, _ in ASKED), length + n_new
        if read > text:
            raise CheckFailed(
                f"{read} tokens read for a text of {text}",
                f"For a text of {text} tokens your loop gave llama {read}: it reads again what the cache has, and the "
                "work grows with the square of the length. Pass on the cache, and give only the newest token.",
            )
        expect.true(read >= text - 1, "Ask llama for every logit: it was given fewer tokens than the text has.")


@check("generate", hint="An empty prompt has no token to begin after, and chunks have one token or more: ValueError.")
def refuses_empty_prompts(student, rng):
    model = _model(rng)
    expect.raises(student, ValueError, model, [], rng.random(3), 4, PLAIN, None)
    expect.raises(student, ValueError, model, [], rng.random(0), 4, PLAIN, None)
    for chunk in (0, -1, -5):
        expect.raises(student, ValueError, model, [1, 2], rng.random(3), chunk, PLAIN, None)


# Task 8: calls_that_fit


@oracle("calls_that_fit")
def calls_that_fit(card_gib, weight_bytes, shape, n_tokens, n_shared, bits):
    """In fractions, with the sizes of keys and of values one by one."""
    if n_shared < 0 or n_shared >= n_tokens or bits not in {4, 8, 16, 32}:
        raise ValueError("The shared tokens or the bits are out of range.")
    numbers = Fraction(shape["hidden_size"], shape["n_heads"]) * shape["n_kv_heads"]
    per_token = sum(numbers * Fraction(bits, 8) for _ in ("key", "value") for _ in range(shape["n_layers"]))
    room = card_gib * 1024**3 - weight_bytes - n_shared * per_token
    return int(n_tokens * per_token), max(0, math.floor(room / ((n_tokens - n_shared) * per_token)))


@covers("calls_that_fit")
def are_sizes(card_gib, weight_bytes, shape, n_tokens, n_shared, bits):
    """Whole numbers, sizes of 1 or more, heads that divide."""
    numbers = (card_gib, weight_bytes, n_tokens, n_shared, bits)
    if not isinstance(shape, dict) or not all(type(one) is int for one in (*numbers, *shape.values())):
        return False
    sizes = min(shape.values()) > 0 and not shape["hidden_size"] % shape["n_heads"]
    return sizes and card_gib >= 0 and weight_bytes >= 0


def _shape(rng):
    n_kv_heads = int(rng.integers(1, 9))
    n_heads = n_kv_heads * int(rng.integers(2, 8))
    width = 16 * int(rng.integers(2, 9))
    return {
        "n_layers": int(rng.integers(4, 80)),
        "n_heads": n_heads,
        "n_kv_heads": n_kv_heads,
        "hidden_size": n_heads * width,
    }


def _room(student, *arguments):
    given = student(*arguments)
    expect.true(isinstance(given, (tuple, list)) and len(given) == 2, "Return two things: call_bytes and n_calls.")
    expect.true(all(type(one) is int for one in given), "Both are whole numbers: integers.")
    expect.equal(tuple(given), calls_that_fit(*arguments))


@check("calls_that_fit", hint="Keys and values, layers, key heads, head_dim, bytes, tokens: multiply, for any model.")
def counts_bytes(student, rng):
    for bits in (4, 8, 16, 32):
        for n_tokens in (1, int(rng.integers(100, 9000))):
            _room(
                student, int(rng.integers(8, 200)), int(rng.integers(10**8, 5 * 10**9)), _shape(rng), n_tokens, 0, bits
            )


@check(
    "calls_that_fit", hint="Memory for exactly k calls holds k, and with one byte less k - 1. Nothing is rounded up."
)
def counts_whole_calls(student, rng):
    for _ in range(5):
        shape, n_tokens, k = _shape(rng), int(rng.integers(50, 400)), int(rng.integers(2, 9))
        call = calls_that_fit(0, 0, shape, n_tokens, 0, 16)[0]
        card = -(-k * call // 2**30) + 3
        for spare in (0, 1, call - 1, -1):
            _room(student, card, card * 2**30 - k * call - spare, shape, n_tokens, 0, 16)


@check("calls_that_fit", hint="Instructions are kept once: they take room once, and each call needs only the rest.")
def keeps_instructions_once(student, rng):
    for _ in range(5):
        shape, n_tokens = _shape(rng), int(rng.integers(500, 3000))
        for n_shared in (1, int(rng.integers(2, n_tokens)), n_tokens - 1):
            _room(student, int(rng.integers(8, 100)), int(rng.integers(1, 5 * 10**9)), shape, n_tokens, n_shared, 8)


@check("calls_that_fit", hint="Weights or instructions that do not fit leave room for 0 calls, and no negative number.")
def leaves_no_room(student, rng):
    shape = _shape(rng)
    _room(student, 8, 9 * 2**30, shape, 100, 0, 16)
    _room(student, 8, 8 * 2**30, shape, 100, 0, 16)
    _room(student, 0, 0, shape, 100, 0, 16)
    per_token = calls_that_fit(0, 0, shape, 1, 0, 16)[0]
    n_shared = 2**30 // per_token + 5
    _room(student, 1, 0, shape, n_shared + 10, n_shared, 16)


@check(
    "calls_that_fit", hint="Shared tokens from 0 to one fewer than all, and 4, 8, 16 or 32 bits; all else: ValueError."
)
def refuses_what_is_out_of_range(student, rng):
    shape = _shape(rng)
    for n_tokens, n_shared in ((10, 10), (10, 11), (10, -1), (0, 0)):
        expect.raises(student, ValueError, 8, 0, shape, n_tokens, n_shared, 16)
    for bits in (0, 1, 2, 12, 64, -8):
        expect.raises(student, ValueError, 8, 0, shape, 100, 0, bits)
