"""Hidden checks of Lab 7. They run outside of the student's process, on inputs drawn for each submission.

What an answer has to be comes from pydantic, from a reader of signs without regular expressions, from sorting, from
comparisons of all pairs, from a reader of tokens, from components that networkx finds, from exact sums over the values
themselves, and from a player that works out each pane anew from the beginning of the script. Order-invariance,
idempotence, associativity and the absence of leaks are checked as such besides: two answers are compared.
"""

import hashlib
import hmac
import itertools
import json
import math
import re
import unicodedata
from fractions import Fraction

import networkx as nx
import pydantic

from course.lab.checking import check, covers, expect, oracle

SLOW = 10.0  # seconds for a call on a busy machine
PRIME = 4_294_967_311
KEPT = 32
EMPTY = {"count": 0, "total": 0, "squares": 0, "smallest": None, "largest": None, "buckets": {}, "callers": []}


def _words(text):
    return re.findall(r"[^\W_]+", text.lower())


ONES = dict.fromkeys(_words("zero oh one two three four five six seven eight nine"), 1)
UNITS = set(ONES) - {"zero", "oh"}
TEENS = set(_words("ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"))
TENS = set(_words("twenty thirty forty fifty sixty seventy eighty ninety"))
TALK = _words(
    "i would like to know what is on my savings and whether the money came in could you look it up please it was on "
    "monday my card does not work at the machine in the station and nobody told me why that is so thank you"
)


def _pick(rng, items):
    return items[int(rng.integers(len(items)))]


def _shuffled(rng, items):
    return [items[int(k)] for k in rng.permutation(len(items))]


def _talk(rng, n):
    return " ".join(_pick(rng, TALK) for _ in range(n))


def _word(rng, letters="abcdefghij"):
    return "".join(_pick(rng, letters) for _ in range(int(rng.integers(2, 8))))


def _record(name, text="hello", call="c-1", caller="ann", ms=900):
    return {"id": name, "call": call, "caller": caller, "text": text, "ms": ms}


# Task 1: parse


class _Said(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(strict=True, extra="forbid")
    id: str = pydantic.Field(min_length=1)
    call: str = pydantic.Field(min_length=1)
    caller: str = pydantic.Field(min_length=1)
    text: str
    ms: int = pydantic.Field(ge=0)


@oracle("parse")
def parse(line):
    """The form by pydantic in strict mode; half letters by their numbers."""
    content = bytes(line)
    found = _read(content)
    if isinstance(found, str):
        return {"reason": found, "sha256": hashlib.sha256(content).hexdigest()}
    return found


def _read(content):
    """The record, or the reason."""
    if content.decode("utf-8", "replace").encode() != content:
        return "not UTF-8"
    text = content.decode()
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        signs = [sign for sign in text if not sign.isspace()]
        return "malformed" if signs[-1:] == ["}"] else "half-written"
    try:
        record = _Said.model_validate(value).model_dump()
    except pydantic.ValidationError:
        return "wrong form"
    half = any(0xD800 <= ord(sign) < 0xE000 for value in record.values() for sign in str(value))
    return "wrong form" if half else record


def _no_constant(name):
    raise ValueError(name)


@covers("parse")
def are_bytes(line):
    """Lines of bytes, without whole numbers of more digits than Python reads."""
    is_line = isinstance(line, list) and all(type(one) is int and 0 <= one < 256 for one in line)
    return is_line and not re.search(rb"\d{400}", bytes(line))


def _line(rng, **fields):
    """A line of a record whose fields stand in any order."""
    record = _record(f"r-{int(rng.integers(1000))}", _talk(rng, 6), _word(rng), _word(rng), int(rng.integers(0, 10**6)))
    record |= fields
    record = {name: record[name] for name in _shuffled(rng, list(record))}
    spaces = _pick(rng, [(",", ":"), (", ", ": "), (" , ", " :\t")])
    end = _pick(rng, ["", "\n", "\r\n", "  "])
    return (json.dumps(record, ensure_ascii=bool(rng.integers(2)), separators=spaces) + end).encode("utf-8", "replace")


def _parsed(student, content, hint=None):
    expect.equal(student(list(content), seconds=SLOW), parse(content), hint=hint)


@check(
    "parse",
    hint="A good line was refused, or its record changed. Fields may stand in any order, the text may be empty, any "
    "letter may be in it, ms may be 0 or huge, and white space may surround the whole.",
)
def reads_records(student, rng):
    for _ in range(20):
        _parsed(student, _line(rng))
    for text in ("", " ", "\u00fc \u20ac \U0001f600", "a\u2028b\u0000", '"}', "NaN", "\\ud800"):
        _parsed(student, _line(rng, text=text, ms=_pick(rng, [0, 2**53 + 1])))
    _parsed(student, b'{"id":"a","call":"b","caller":"c","text":"\\ud83d\\ude00 \\u00e9","ms":-0}')


@check(
    "parse",
    hint="Bytes that are no UTF-8, a letter cut in half for example, come before all other reasons, wherever in the "
    "line they stand, and whether the rest is JSON or not.",
)
def refuses_other_encodings(student, rng):
    line = _line(rng, text="\u00e9t\u00e9 na\u00efve")
    for wrong in (b"\xff", b"\xc3", b"\xe2\x82", b"\xed\xa0\x80", b"\xc0\x80", b"\xf5\x80\x80\x80"):
        place = int(rng.integers(len(line)))
        while 0x80 <= line[place] < 0xC0:
            place += 1
        _parsed(student, line[:place] + wrong + line[place:])
        _parsed(student, wrong + line)
        _parsed(student, b"[" + wrong)
    _parsed(student, json.dumps(_record("a", "\u00e9t\u00e9"), ensure_ascii=False).encode("latin-1"))
    _parsed(student, line.decode().encode("utf-16"))


@check(
    "parse",
    hint="Text that is no JSON has the wrong reason, or raised. What decides is the last sign that is not white space; "
    "NaN is no JSON; a line may be empty, or enormously deep.",
)
def tells_half_from_malformed(student, rng):
    line = _line(rng).rstrip()
    for end in rng.integers(0, len(line), 12).tolist():
        _parsed(student, line[:end])
        _parsed(student, line[:end] + b"} \n")
    for name in (b"NaN", b"Infinity", b"-Infinity"):
        _parsed(student, b'{"id":"a","call":"b","caller":"c","text":"d","ms":' + name + b"}")
        _parsed(student, b"[" + name + b"]")
    texts = [b"", b" \n", b"}", b"[" * 60_000, b'{"a":' * 60_000, b'{"a":' * 60_000 + b"}", b"{'a': 1}", line + b"x"]
    texts += [line + line, line + b"\n}", line[:-1] + b",}", line[:-1] + "\u2028}\u2003".encode(), line + b" // end"]
    for text in texts:
        _parsed(student, text)


@check(
    "parse",
    hint="JSON of another form passed, or raised, or has another reason. Look at true and 2.0 and texts for ms, at "
    "empty names, null, missing and unknown fields, JSON that is no object, and half letters in any text.",
)
def refuses_other_forms(student, rng):
    for text in (
        b"[]",
        b"{}",
        b"null",
        b"7",
        b'"}"',
        b"true",
        b"[{}]",
        b'{"id":{}}',
        b'["id","call","caller","text","ms"]',
    ):
        _parsed(student, text)
    for name in ("id", "call", "caller", "text"):
        for value in ("", None, 7, True, ["a"], {"a": 1}, [], "\ud800", "a\udfff b"):
            record = _record("a") | {name: value}
            _parsed(student, json.dumps({one: record[one] for one in _shuffled(rng, list(record))}).encode())
    for value in (True, False, None, 2.0, 1.5, -1, -0.0, "7", "", [], {}, 1e400, -(10**20)):
        _parsed(student, json.dumps(_record("a") | {"ms": value}).replace("Infinity", "1e400").encode())
    for name in _record("a"):
        _parsed(student, json.dumps({one: value for one, value in _record("a").items() if one != name}).encode())
    for name in ("ID", "more", "", "text "):
        _parsed(student, json.dumps(_record("a") | {name: 1}).encode())


# Task 2: clean


PLAIN = {"\u2019": "'", "\u2018": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-", "\u2026": "..."}
BRACKETS = {"[": "]", "<": ">"}


@oracle("clean")
def clean(text):
    """Sign by sign, without a regular expression, until nothing changes."""
    while True:
        signs = []
        for sign in unicodedata.normalize("NFKC", text):
            for one in PLAIN.get(sign, sign):
                signs.append(" " if one.isspace() else one)
        seen = "".join(one for one in signs if unicodedata.category(one) not in {"Cc", "Cf"})
        cleaner = " ".join(_unmarked(seen).split())
        if cleaner == text:
            return text
        text = cleaner


def _unmarked(text):
    """The text with a space for each mark, found from the left."""
    place, left = 0, []
    while place < len(text):
        end = place + 1
        if text[place] in BRACKETS:
            while end < len(text) and (text[end] == " " or "a" <= text[end] <= "z"):
                end += 1
            if end < len(text) and text[end] == BRACKETS[text[place]]:
                left.append(" ")
                place = end + 1
                continue
        left.append(text[place])
        place += 1
    return "".join(left)


SIGNS = list("ab [ ]<>zAé’“–…\u200b\u00ad\u200d\u0301\u00a0\u2028\x0b\x07\t\nﬁ①＜＞［\ufeff\u3000\u1e9b\u0323²Ⅷ\u0085")
PIECES = [
    "[noise]",
    "<unk>",
    "[]",
    "< >",
    "[CARD]",
    "[a1]",
    "[a]]",
    "<a]",
    "card",
    " ",
    "  ",
    "e",
    "\u0301",
    "\u200b",
    "…",
]


@check(
    "clean",
    hint="A text without marks became another one. Look at NFKC, at the signs that PLAIN lists, at every kind of white "
    "space, at what nobody sees, and at the order of these: what is white space and invisible as well becomes a space.",
)
def brings_signs_into_one_form(student, rng):
    plain = [sign for sign in SIGNS if unicodedata.normalize("NFKC", sign) not in list("[]<>")]
    for text in ("", " ", *plain, *(f"a{sign}b" for sign in plain), _talk(rng, 30)):
        expect.equal(student(text, seconds=SLOW), clean(text))
    for _ in range(25):
        text = "".join(_pick(rng, plain) for _ in range(int(rng.integers(2, 25))))
        expect.equal(student(text, seconds=SLOW), clean(text))


@check(
    "clean",
    hint="A mark stayed, or something that is none went. A mark has small letters a to z and spaces alone between "
    "brackets of one kind, perhaps nothing, and leaves a space between its neighbours.",
)
def takes_out_marks(student, rng):
    for text in (
        "a[b]c",
        "a<b c>d",
        "[]",
        "<>",
        "[CARD]",
        "[a-b]",
        "[é]",
        "[a>",
        "<a]",
        "[a",
        "a]",
        "[[a]",
        "[a]]",
        "3<4 >2",
    ):
        expect.equal(student(text, seconds=SLOW), clean(text))
    for _ in range(25):
        text = "".join(_pick(rng, PIECES) for _ in range(int(rng.integers(2, 14))))
        expect.equal(student(text, seconds=SLOW), clean(text))


@check(
    "clean",
    hint="Cleaning what was clean changed it. What one step takes out may bring together a letter and its accent, or "
    "the two halves of a mark: all steps are repeated until nothing changes.",
)
def cleaning_twice_is_cleaning_once(student, rng):
    texts = [
        "[<x>a]",
        "<[[x]]a>",
        "[a\u200b]",
        "e\u200d\u0301",
        "<[x<y>]a [<>b]>",
        "[\u00ada]",
        "e\u0000\u0323\u200d\u0301",
    ]
    texts += ["".join(_pick(rng, SIGNS) for _ in range(30)) for _ in range(15)]
    texts += ["[" * 30 + _word(rng) + "]" * 30, "<[" * 12 + "\u200b]>" * 12]
    for text in texts:
        got = student(text, seconds=SLOW)
        expect.equal(got, clean(text))
        expect.equal(student(got, seconds=SLOW), got)


# Task 3: deduplicate


def _digest(text):
    return hashlib.sha256(" ".join(_words(text)).encode()).hexdigest()


@oracle("deduplicate")
def deduplicate(records):
    """Sorted by digest and preference; the first of each run of equal digests stays."""
    keys = [(_digest(one["text"]), -len(one["text"]), one["id"], place) for place, one in enumerate(records)]
    kept, groups = [], {}
    for digest, _, _, place in sorted(keys):
        record = records[place]
        if digest not in groups:
            groups[digest] = set()
            kept.append(record)
        groups[digest].add(record["id"])
    kept = sorted(kept, key=lambda one: one["id"])
    return {"kept": kept, "groups": {digest: sorted(ids) for digest, ids in groups.items()}}


@covers("deduplicate")
def ids_name_one_record(records):
    """Two records with the same id are alike in everything."""
    known = {}
    return all(known.setdefault(one["id"], one) == one for one in records)


def _dressed(rng, text):
    """The same words with other case and punctuation."""
    return "".join(sign.upper() if rng.random() < 0.2 else sign for sign in text).replace(
        " ", _pick(rng, [" ", ", ", "  ", " - ", "_"])
    ) + _pick(rng, ["", "", "!", ".", "?", "..."])


def _with_copies(rng, n):
    """Records, many of which have the words of another one; some come twice."""
    texts = [_talk(rng, int(rng.integers(0, 6))) for _ in range(max(n // 3, 1))]
    names = _shuffled(rng, [f"r{k}" for k in range(n)])
    records = [
        _record(name, _dressed(rng, _pick(rng, texts)), _word(rng), _word(rng), int(rng.integers(99))) for name in names
    ]
    return records + [one for one in records if rng.random() < 0.2]


@check(
    "deduplicate",
    hint="Other records stay, in records without any doubt: texts of the same words, in another case or with other "
    "punctuation, are copies; words in another order, or split elsewhere, are others.",
)
def finds_copies(student, rng):
    texts = ["a bc", "ab c", "abc", "c ab", "A, bc!", "ab-c", "", "...", "a a", "a", "\u00fc", "\u00dc.", "1 2", "12"]
    for n in (0, 1, 14):
        records = [_record(f"r{k}", text) for k, text in enumerate(texts[:n])]
        expect.equal(student(records, seconds=SLOW), deduplicate(records))
    for n in (2, 9, 60):
        records = _with_copies(rng, n)
        got = student(records, seconds=SLOW)
        expect.true(isinstance(got, dict) and "kept" in got)
        expect.equal(got["kept"], deduplicate(records)["kept"])


@check(
    "deduplicate",
    hint="The groups are others: each digest, also of a text without copies, with the sorted ids that have it, each "
    "once. The digest is SHA-256 of the words joined by single spaces, in hexadecimal.",
)
def names_groups_by_digests(student, rng):
    for n in (1, 5, 40):
        records = _with_copies(rng, n)
        got = student(records, seconds=SLOW)
        expect.true(isinstance(got, dict) and set(got) == {"kept", "groups"})
        expect.equal(got["groups"], deduplicate(records)["groups"])


@check(
    "deduplicate",
    hint="The same records in another order, some of them more often, made another answer. Who stays depends on the "
    "records alone: the longest text, of equally long ones the smallest id. The order of the answer does, too.",
)
def order_decides_nothing(student, rng):
    for n in (6, 40):
        records = _with_copies(rng, n)
        want = student(records, seconds=SLOW)
        expect.equal(want, deduplicate(records))
        for _ in range(4):
            some = _shuffled(rng, records + [one for one in records if rng.random() < 0.3])
            expect.equal(student(some, seconds=SLOW), want)
    ties = [_record(f"r{k}", f"so what{_pick(rng, '!?.')}") for k in rng.permutation(12).tolist()]
    for records in (ties, ties[::-1]):
        expect.equal(student(records, seconds=SLOW), deduplicate(ties))


@check(
    "deduplicate",
    hint="Of what stays, something went when it was done again: it is given back as it came, and has no copies.",
)
def once_is_enough(student, rng):
    for n in (5, 50):
        first = student(_with_copies(rng, n), seconds=SLOW)
        expect.true(isinstance(first, dict) and isinstance(first.get("kept"), list))
        expect.true(all(isinstance(one, dict) and set(one) == set(_record("a")) for one in first["kept"]))
        expect.true(all(isinstance(one["text"], str) and isinstance(one["id"], str) for one in first["kept"]))
        again = student(first["kept"], seconds=SLOW)
        expect.true(isinstance(again, dict) and "kept" in again)
        expect.equal(again["kept"], first["kept"])
        expect.equal(again, deduplicate(first["kept"]))


@check(
    "deduplicate",
    hint="10,000 records took more than 8 seconds: looking through all that stay, for each record, takes a time that "
    "grows with the square. Look up the digest in a dict or a set.",
)
def takes_each_record_once(student, rng):
    numbers = rng.permutation(10_000).tolist()
    records = [_record(f"r{k:05d}", f"my number is {k % 9_500}") for k in numbers]
    expect.equal(student(records, seconds=8.0), deduplicate(records))


# Task 4: near_duplicates


def _hashed(text):
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big")


def _shingles(text):
    said = _words(text)
    return {tuple(said[start : start + 3]) for start in range(len(said)) if start == 0 or start + 3 <= len(said)}


@oracle("near_duplicates")
def near_duplicates(texts, permutations, n_rows, threshold):
    """Every pair is asked whether a band agrees; similarities are exact fractions."""
    if n_rows < 1 or len(permutations) % n_rows != 0:
        raise ValueError("the permutations are a whole number of bands of one row or more")
    sets = [_shingles(text) for text in texts]
    numbers = {run: _hashed(" ".join(run)) for some in sets for run in some}
    bands = [_bands([numbers[run] for run in some], permutations, n_rows) for some in sets]
    alike = _asked_in_pairs(bands) if len(texts) < 400 else _sorted_by_band(bands)
    pairs = [[i, j] for i, j in alike if _similarity(sets[i], sets[j]) >= threshold]
    return {"candidates": len(alike), "pairs": sorted(pairs)}


def _asked_in_pairs(bands):
    """Pairs of texts of which any band agrees."""
    return {
        (i, j)
        for i, j in itertools.combinations(range(len(bands)), 2)
        if any(one == other for one, other in zip(bands[i], bands[j], strict=False))
    }


def _sorted_by_band(bands):
    """The same for many texts: equal bands of a place stand side by side once they are sorted."""
    pairs, most = set(), max(len(some) for some in bands)
    for place in range(most):
        order = sorted((some[place], text) for text, some in enumerate(bands) if some)
        for _, alike in itertools.groupby(order, key=lambda one: one[0]):
            pairs.update(itertools.combinations([text for _, text in alike], 2))
    return pairs


def _bands(numbers, permutations, n_rows):
    signature = [sorted((a * one + b) % PRIME for one in numbers)[0] for a, b in permutations] if numbers else []
    return [tuple(signature[start : start + n_rows]) for start in range(0, len(signature), n_rows)]


def _similarity(one, other):
    return float(Fraction(len(one & other), len(one | other)))


@covers("near_duplicates")
def are_few_texts_and_whole_numbers(texts, permutations, n_rows, threshold):
    """So few texts that all pairs can be compared; whole numbers; a threshold that is a number."""
    whole = [n_rows, *itertools.chain.from_iterable(permutations)]
    return len(texts) < 400 and all(type(one) is int for one in whole) and threshold == threshold


def _permutations(rng, n):
    return [[int(rng.integers(1, PRIME)), int(rng.integers(0, PRIME))] for _ in range(n)]


def _edited(rng, text):
    """The text with a word taken out, put in or changed."""
    said = text.split()
    place = int(rng.integers(len(said) + 1))
    return " ".join(said[:place] + [_pick(rng, TALK)] * int(rng.integers(2)) + said[place + int(rng.integers(2)) :])


def _alike_texts(rng, n, longest=14):
    texts = [_talk(rng, int(rng.integers(1, longest))) for _ in range(max(n // 3, 1))]
    while len(texts) < n:
        texts.append(_edited(rng, _pick(rng, texts)))
    return _shuffled(rng, [_dressed(rng, text) for text in texts])


def _near(student, rng, texts, n_permutations, n_rows, threshold, hint=None):
    arguments = texts, _permutations(rng, n_permutations), n_rows, threshold
    expect.equal(student(*arguments, seconds=SLOW), near_duplicates(*arguments), hint=hint)


@check(
    "near_duplicates",
    hint="With a band for every number, candidates or pairs are others. Look at the runs of three words, each counted "
    "once, at texts of few words, and at the similarity: what both have over what either has.",
)
def compares_shingles(student, rng):
    for threshold in (0.0, 0.3, 0.5, 2 / 3, 1.0):
        _near(student, rng, _alike_texts(rng, 24), 8, 1, threshold)
    short = ["", "...", "a", "A!", "a b", "b a", "a b c", "a b c d", "a b c a b c", "a b c a b c a b", "c a b"]
    for threshold in (0.0, 0.5, 0.75, 1.0):
        _near(student, rng, short, 6, 1, threshold)


@check(
    "near_duplicates",
    hint="With bands of several rows, other pairs were compared: a band is n_rows numbers in a row, bands do not "
    "overlap, all of its numbers have to agree, and in the same band of both texts. A pair is counted once.",
)
def cuts_bands(student, rng):
    for n_permutations, n_rows in ((4, 2), (6, 3), (6, 2), (6, 6), (12, 4), (0, 1)):
        _near(student, rng, _alike_texts(rng, 24, longest=9), n_permutations, n_rows, 0.4)
    fixed = [[1, 0], [0, 5], [0, 7], [1, 3]]  # two numbers that are the same for all texts, in two bands
    expect.equal(student(["a b c", "d e f", "g h i"], fixed, 2, 0.0, seconds=SLOW), {"candidates": 0, "pairs": []})
    one, other = _talk(rng, 3), "quite another text"
    shift = (_hashed(one) - _hashed(other)) % PRIME
    for moved in ([[1, 0], [1, shift]], [[1, shift], [1, 0]]):
        expect.equal(student([one, other], moved, 1, 0.0, seconds=SLOW), {"candidates": 0, "pairs": []})


@check(
    "near_duplicates",
    hint="The signature is another: for each permutation the smallest of (a * hash + b) % PRIME over a text's "
    "shingles, with hashed of the three words joined by a space. An order of the texts must not matter to it.",
)
def makes_signatures(student, rng):
    texts = _alike_texts(rng, 30, longest=20)
    permutations = _permutations(rng, 6)
    for some in (texts, texts[::-1], sorted(texts)):
        got = student(some, permutations, 2, 0.5, seconds=SLOW)
        expect.equal(got, near_duplicates(some, permutations, 2, 0.5))
    for a, b in ((PRIME - 1, 0), (1, PRIME - 1), (2**31, 12345)):
        expect.equal(student(texts, [[a, b]], 1, 0.2, seconds=SLOW), near_duplicates(texts, [[a, b]], 1, 0.2))


@check(
    "near_duplicates",
    hint="No texts, no permutations, or bands that do not fit the permutations: raise ValueError for the last, also "
    "when there are no texts, and for bands of less than one row.",
)
def refuses_bands_that_do_not_fit(student, rng):
    texts = _alike_texts(rng, 4)
    for n_permutations, n_rows in ((4, 3), (2, 4), (5, 2), (4, 0), (4, -2), (0, 0)):
        expect.raises(student, ValueError, _pick(rng, [texts, []]), _permutations(rng, n_permutations), n_rows, 0.5)
    for n_permutations in (0, 4):
        _near(student, rng, [], n_permutations, 2, 0.5)
        _near(student, rng, texts, n_permutations, 2, 0.5)


@check(
    "near_duplicates",
    hint="9,000 short texts took more than 6 seconds. Asking each pair whether it shares a band are 40 million "
    "questions: put the texts of each band together in a dict, and look only there.",
)
def looks_only_where_bands_agree(student, rng):
    texts = [f"account {k} of branch {k % 7}" for k in rng.permutation(9000).tolist()]
    texts[17] = texts[4000]
    got = student(texts, _permutations(rng, 4), 4, 0.9, seconds=6.0)
    expect.true(isinstance(got, dict) and got.get("pairs") == [[17, 4000]])


# Task 5: redact


EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
PLACEHOLDER = re.compile(r"\[(?:EMAIL|CARD|NUMBER|NAME)\]")
JOINTS = {"dot", "dash", "underscore"}


@oracle("redact")
def redact(text, names):
    """By reading tokens one after the other; what overlaps is joined until nothing overlaps."""
    left_out = {place for one in PLACEHOLDER.finditer(text) for place in range(*one.span())}
    shown = "".join("\ufffc" if place in left_out else sign for place, sign in enumerate(text))
    tokens = [(one.start(), one.end(), _lower(one[0])) for one in re.finditer(r"\w+", shown)]
    spans = [(*one.span(), "EMAIL") for one in EMAIL.finditer(_lower(shown))]
    spans += _spoken(shown, tokens) + _numbers(shown, tokens)
    for name in names:
        spans += _named(shown, _lower(name))
    joined = []
    for start, end, kind in sorted(spans, key=lambda one: (one[0], -one[1])):
        if joined and start < joined[-1][1]:
            joined[-1] = [joined[-1][0], max(end, joined[-1][1]), joined[-1][2]]
        else:
            joined.append([start, end, kind])
    pieces, place = [], 0
    for start, end, kind in joined:
        pieces += [text[place:start], f"[{kind}]"]
        place = end
    return {"text": "".join(pieces) + text[place:], "spans": joined}


def _lower(text):
    return "".join(one if len(one.lower()) > 1 else one.lower() for one in text)


def _gap(shown, tokens, place, allowed):
    """Whether nothing but allowed signs stand before a token and after the one before it."""
    between = shown[tokens[place - 1][1] : tokens[place][0]]
    return place > 0 and bool(between) and set(between) <= set(allowed)


def _spoken(shown, tokens):
    """Words from a first one on, by a small machine: local part, `at`, domain."""
    spans, place = [], 0
    while place < len(tokens):
        end = _spoken_end(shown, tokens, place)
        if end is None:
            place += 1
            continue
        spans.append((tokens[place][0], tokens[end][1], "EMAIL"))
        place = end + 1
    return spans


def _spoken_end(shown, tokens, place):
    """The last token of an address that begins at a token; None if none begins there."""

    def follows(place, words=None):
        if place >= len(tokens) or not _gap(shown, tokens, place, " "):
            return False
        word = tokens[place][2]
        return word in words if words else word not in JOINTS | {"at"}

    if tokens[place][2] in JOINTS | {"at"}:
        return None
    while follows(place + 1, JOINTS) and follows(place + 2):
        place += 2
    if not (follows(place + 1, {"at"}) and follows(place + 2)):
        return None
    end = place + 2
    while follows(end + 1, {"dot"}) and follows(end + 2):
        end += 2
    return end if end > place + 2 else None


def _numbers(shown, tokens):
    spans, place = [], 0
    while place < len(tokens):
        first, digits = place, 0
        while place < len(tokens) and (place == first or _gap(shown, tokens, place, " .,()/-")):
            value, used = _number_at(shown, tokens, place)
            if not used:
                break
            digits, place = digits + value, place + used
        if digits >= 4:
            spans.append((tokens[first][0], tokens[place - 1][1], "CARD" if digits >= 13 else "NUMBER"))
        place += place == first
    return spans


def _number_at(shown, tokens, place):
    """Digits of the number that begins at a token, and how many tokens it takes; (0, 0) if none does."""
    word, following = tokens[place][2], ""
    if place + 1 < len(tokens) and _gap(shown, tokens, place + 1, " .,()/-"):
        following = tokens[place + 1][2]
    if all(sign in "0123456789" for sign in word):
        return len(word), 1
    if word in ("double", "triple") and (following in ONES or following in set("0123456789")):
        return (2 if word == "double" else 3), 2
    if word in ONES:
        return 1, 1
    if word in TENS:
        return 2, 1 + (following in UNITS)
    return (2, 1) if word in TEENS else (0, 0)


def _named(shown, name):
    """Where a name stands: its words, with spaces between, at the bounds of words."""
    parts, low, spans, place = name.split(), _lower(shown), [], 0
    while parts and place < len(low):
        end = _name_end(low, parts, place)
        if end is None:
            place += 1
            continue
        spans.append((place, end, "NAME"))
        place = end
    return spans


def _name_end(low, parts, start):
    place = start
    for number, part in enumerate(parts):
        after = place
        while number and after < len(low) and low[after] == " ":
            after += 1
        if (number and after == place) or not low.startswith(part, after):
            return None
        place = after + len(part)
    is_word = re.compile(r"\w")
    inside = (start > 0 and is_word.match(low[start - 1])) or (place < len(low) and is_word.match(low[place]))
    return None if inside else place


@covers("redact")
def is_clean_and_names_are_words(text, names):
    """A text as Task 2 leaves it, and names of letters, each with one word or more."""
    plain = all(re.fullmatch(r"[^\W\d_]+(?:[ '][^\W\d_]+)*", name) and "\u0130" not in name[1:] for name in names)
    return plain and unicodedata.normalize("NFKC", text) == text and not set(text) & set("\ufffc\u017f\u212a\t\n")


def _digits(rng, n):
    """A number of ``n`` digits as somebody may say it, and nothing that would be joined with it around it."""
    said, left = [], n
    while left:
        ways = [_pick(rng, list(ONES)), str(int(rng.integers(10)))]
        if left >= 2:
            ways += [
                _pick(rng, sorted(TEENS)),
                _pick(rng, sorted(TENS)),
                f"double {_pick(rng, list(ONES))}",
                str(int(rng.integers(10, 100))),
            ]
            ways += [f"{_pick(rng, sorted(TENS))} {_pick(rng, sorted(UNITS))}", f"Double {int(rng.integers(10))}"]
        if left >= 3:
            ways += [f"triple {_pick(rng, list(ONES))}", str(int(rng.integers(100, 1000)))]
        chosen = _pick(rng, ways)
        value = chosen.split()[0].lower()
        size = len(value) if value.isdecimal() else {"triple": 3}.get(value, 1 if value in ONES else 2)
        if said and said[-1] in TENS and chosen.lower() in UNITS:
            continue  # would be one number with the one before
        said.append(chosen.lower() if chosen.lower() in TENS else chosen)
        left -= size
    return _pick(rng, [" ", " ", "-", ", ", " - ", "."]).join(said)


WORDINGS = (
    "my number is {}",
    "it is {} i think",
    "{}, please",
    "they told me {} yesterday",
    "({})",
    "sure: {}!",
    "that would be {} then",
    "so i have {} here",
    "you can find it under {} or not",
    "try {}; it worked",
    "{}",
    "no wait {} sorry",
    "*{}*",
)


def _redacted(student, text, names=(), hint=None):
    expect.equal(student(text, list(names), seconds=SLOW), redact(text, list(names)), hint=hint)


@check(
    "redact",
    hint="Runs of numbers were missed or cut, something that is none was taken, or digits were counted otherwise. "
    "Say the numbers of the run one by one, with their digits: 4 to 12 are a NUMBER, 13 or more a CARD.",
)
def finds_numbers(student, rng):
    for n in (1, 2, 3, 3, 4, 4, 5, 7, 9, 11, 12, 12, 13, 13, 16, 19):
        for _ in range(3):
            _redacted(student, _pick(rng, WORDINGS).format(_digits(rng, n)))
    texts = [
        "double",
        "double double two two two",
        "triple 42 42",
        "double ten ten",
        "two four six eight ten",
        "twenty twenty one",
    ]
    texts += [
        "one two three four five six seven eight nine ten eleven",
        "4th 42nd 4211b b4211 4_211",
        "one two. three (four)",
    ]
    texts += [
        "eighty zero seven",
        "eighty oh seven nine",
        "1234\u00b2 12345",
        "four two one hundred one",
        "one, two; three, four, five, six",
    ]
    texts += [
        "fifty five fifty five",
        "fifty five fifty",
        "eighty-two five",
        "eighty-two five one",
        "double-oh seven",
        "oneone two three four",
        "1 2 3 4",
        "double 7 double 7",
        "twelve double",
    ]
    for text in texts:
        _redacted(student, text)


@check(
    "redact",
    hint="E-mail addresses, written or spoken, were missed, or sentences with `at` and `dot` were taken for one. The "
    "four words that join are no words of an address themselves; case and the number of spaces do not matter.",
)
def finds_addresses(student, rng):
    for _ in range(12):
        local = _word(rng) + "".join(
            f" {_pick(rng, ['dot', 'dash', 'underscore'])} {_word(rng)}" for _ in range(int(rng.integers(3)))
        )
        spoken = f"{local} at {_word(rng)}" + f" dot {_word(rng)}" * int(rng.integers(3))
        spoken = spoken.replace(" ", _pick(rng, [" ", "  "])).replace("dot", _pick(rng, ["dot", "Dot"]))
        written = f"{_word(rng)}.{_word(rng)}@{_word(rng)}-x.{_word(rng)}"
        _redacted(student, _pick(rng, WORDINGS).format(_pick(rng, [spoken, spoken, written])))
    texts = [
        "at dot com",
        "dot at x dot y",
        "a dot dot b at c dot d",
        "a at b at c dot d",
        "a at at b dot c",
        "look at it. dot com",
    ]
    texts += [
        "a dash b at c dash d dot e",
        "a underscore b dot c at d dot e dot f dot",
        "x at y dot",
        "x @ y.z",
        "a.b+c@d.e.",
        "a@b a@b.c",
    ]
    texts += [
        "mail me, a at b dot c, today",
        "a dot b dot c",
        "a at b, dot c",
        "format dot x at y dot z",
        "a dot  b  at c dot  d",
    ]
    for text in texts:
        _redacted(student, text)


@check(
    "redact",
    hint="Names of the form were missed, or parts of other words taken: whole words, in any case, with any number of "
    "spaces between, and every time they occur. A name may overlap another, as `anna maria` and `maria s` do.",
)
def finds_names(student, rng):
    names = [f"{_word(rng)} {_word(rng)}", _word(rng), "o'neil", "\u00e9lise mu\u00f1oz", "\u0130nci"]
    for _ in range(15):
        name = _pick(rng, names)
        name = _pick(
            rng, [name.upper(), name.title(), name, name.replace(" ", "   "), name + "s", "x" + name, name + "_a"]
        )
        text = (
            f"{_talk(rng, 3)} {name}{_pick(rng, ['', ',', '.', ' '])} {_pick(rng, WORDINGS).format(_pick(rng, names))}"
        )
        _redacted(student, text, names)
    for text, some in (
        ("anna anna anna", ["anna"]),
        ("anna maria", ["anna", "anna maria"]),
        ("anna maria s", ["maria s", "anna maria"]),
        ("anna   maria, anna maria", ["anna maria"]),
        ("ANNA maria", ["Anna MARIA"]),
    ):
        _redacted(student, text, some)
    _redacted(student, "a (b) c", [])
    _redacted(student, "\u0130 am \u0130NCI \u0130nci 1234", names)


@check(
    "redact",
    hint="Where spans overlap they become one, from the first sign to the last, of the kind that begins first, or of "
    "the longest if they begin together. Three may overlap in a row.",
)
def joins_spans_that_overlap(student, rng):
    texts = [
        "maria4211@example.com",
        "maria dot four two one one at example dot com",
        "one two three four at example dot com",
    ]
    texts += [
        "call maria lopez at example dot com",
        "lopez maria lopez ann",
        "ann-maria@example.com 1234",
        "1234@example.com 5",
        "maria@example.com,1234",
    ]
    texts += ["ann maria lopez", "1 2 3 4 maria at lopez dot x 1 2 3 4", "1234,5678@x.yz"]
    for text in texts:
        _redacted(student, text, ["maria", "maria lopez", "lopez maria", "ann maria"])


@check(
    "redact",
    hint="Something else than what was found changed, spans are not where it stood in the text that was given, or "
    "redacting what is redacted changed it: placeholders are left alone, and a letter may be longer in lower case.",
)
def keeps_the_rest_as_it_is(student, rng):
    for _ in range(12):
        parts = [
            _dressed(rng, _talk(rng, 4)),
            _digits(rng, int(rng.integers(2, 15))),
            "\u0130I\u0307 \U0001f600",
            "ann lee",
            "[NAME]",
            "[OTHER]",
        ]
        parts += ["x dot y at z dot w", "[NUMBER]", "[card]", "12"]
        text = _pick(rng, [" ", "  ", "; "]).join(_shuffled(rng, parts))
        names = ["ann lee", "name", "card"]
        got = student(text, names, seconds=SLOW)
        expect.equal(got, redact(text, names))
        expect.equal(student(got["text"], names, seconds=SLOW), {"text": got["text"], "spans": []})
    for text in ("", " ", "[NAME][CARD]1234[NUMBER]", "12[NAME]34", "a at [EMAIL] dot b", "1 2 [NUMBER] 3 4"):
        _redacted(student, text, ["name", "number"])


@check(
    "redact",
    hint="In sentences that your visible check did not have, values stayed. Read words wherever they stand; do not "
    "wait for `my number is`.",
)
def finds_them_in_any_wording(student, rng):
    planted = 0
    for wording in WORDINGS:
        value = _pick(
            rng,
            [
                _digits(rng, int(rng.integers(4, 17))),
                f"{_word(rng)} dot {_word(rng)} at {_word(rng)} dot org",
                "Dora  Roth",
            ],
        )
        text = f"{_talk(rng, 5)}; {wording.format(value)}; {_talk(rng, 5)}"
        got = student(text, ["dora roth"], seconds=SLOW)
        expect.true(isinstance(got, dict) and isinstance(got.get("text"), str))
        before, _, after = text.partition(value)
        fits = re.fullmatch(re.escape(before) + r"\[[A-Z]+\]" + re.escape(after), got["text"])
        planted += fits is not None
    expect.equal(planted, len(WORDINGS))


# Task 6: split


@oracle("split")
def split(records, key, share):
    """Groups are the components of a graph of networkx; the place is compared in exact fractions."""
    if not 0 <= share <= 1:
        raise ValueError("the share is from 0 to 1")
    graph = nx.Graph()
    graph.add_edges_from((("caller", one["caller"]), ("call", one["call"])) for one in records)
    part = {}
    for nodes in nx.connected_components(graph):
        callers = [name for kind, name in nodes if kind == "caller"]
        digest = hmac.new(key.encode(), min(callers).encode(), hashlib.sha256).digest()
        place = Fraction(int.from_bytes(digest[:8], "big"), 2**64)
        part |= dict.fromkeys(callers, "test" if place < Fraction(share) else "train")
    ids = {name: [one["id"] for one in records if part[one["caller"]] == name] for name in ("train", "test")}
    return ids


@covers("split")
def share_is_a_number(records, key, share):
    """A share that is a number."""
    return isinstance(share, (int, float)) and not isinstance(share, bool)


def _calls(rng, n, n_callers, joint=0.0):
    """Records of calls; a share of the calls has a second caller."""
    records = []
    for k in range(n):
        callers = [f"caller {int(one)}" for one in rng.integers(n_callers, size=1 + (rng.random() < joint))]
        records += [_record(f"r{k}-{place}", call=f"call {k}", caller=caller) for place, caller in enumerate(callers)]
    return _shuffled(rng, records)


def _parts(student, records, key, share):
    """The part of each id, of an answer that is the oracle's."""
    got = student(records, key, share, seconds=SLOW)
    expect.equal(got, split(records, key, share))
    return {name: part for part in got for name in got[part]}


@check(
    "split",
    hint="Callers who share no call with anybody are in other parts: the keyed hash of the caller's name decides, "
    "its first 8 bytes over 2**64 below the share are for the test. Ids stay in the order of records.",
)
def places_callers_by_a_keyed_hash(student, rng):
    for n, n_callers in ((0, 1), (1, 1), (50, 20)):
        records = _calls(rng, n, n_callers)
        for share in (0.0, 0.2, 0.5, 1.0, float(rng.random())):
            _parts(student, records, _pick(rng, ["", "k", "schl\u00fcssel", _word(rng)]), share)


@check(
    "split",
    hint="A caller, or a call, is in both parts, or a group is somewhere else. Callers of one call belong together, "
    "and those who are connected through others, too; a group is placed by its smallest caller. "
    "A call and a caller may have the same name.",
)
def tears_no_group(student, rng):
    for n_callers, joint in ((60, 0.2), (40, 0.4), (200, 0.9)):
        records = _calls(rng, 60, n_callers, joint)
        part = _parts(student, records, _word(rng), 0.5)
        for name in ("caller", "call"):
            sides = {(one[name], part[one["id"]]) for one in records}
            expect.equal(len(sides), len({one[name] for one in records}))
    ring = [_record(f"r{k}", call=f"call {k // 2}", caller=f"caller {(k + 1) // 2 % 9}") for k in range(18)]
    same = [_record(f"s{k}", call=f"n{k}", caller=f"n{k + 1}") for k in range(12)]
    pairs = [_record(f"p{k}", call=f"x{k // 2}", caller=_word(rng) + str(k)) for k in range(20)]
    for records in (ring, same, pairs, ring + same + pairs):
        for key in ("a", "b", "c"):
            _parts(student, _shuffled(rng, records), key, 0.5)


@check(
    "split",
    hint="The same records in another order are split otherwise: neither who came first nor who called more decides.",
)
def order_moves_nobody(student, rng):
    for n_callers, joint in ((30, 0.3), (12, 0.1)):
        records, key = _calls(rng, 30, n_callers, joint), _word(rng)
        want = _parts(student, records, key, 0.4)
        for some in (records[::-1], _shuffled(rng, records), sorted(records, key=lambda one: one["id"])):
            expect.equal(_parts(student, some, key, 0.4), want)


@check(
    "split",
    hint="More records of known callers, or of new ones who share no call with them, moved somebody: neither how many "
    "groups there are nor the names of calls may decide.",
)
def more_data_move_nobody(student, rng):
    records, key = _calls(rng, 40, 30, 0.2), _word(rng)
    before = _parts(student, records, key, 0.4)
    known = sorted({one["caller"] for one in records})
    more = [_record(f"m{k}", call=f"another {k}", caller=_pick(rng, known)) for k in range(30)]
    more += [_record(f"n{k}", call=f"a new {k}", caller=f"a new {k}") for k in range(20)]
    after = _parts(student, _shuffled(rng, records + more), key, 0.4)
    expect.equal({name: after[name] for name in before}, before)


@check(
    "split",
    hint="The share may be 0 and 1, which leave a part empty; below, above and NaN raise ValueError, also when there "
    "are no records.",
)
def refuses_shares_that_are_none(student, rng):
    for share in (-0.001, 1.001, -1, 2, math.nan, math.inf, -math.inf):
        expect.raises(student, ValueError, _pick(rng, [_calls(rng, 5, 3), []]), "k", share)
    for share in (0, 1, 0.0, 1.0):
        _parts(student, _calls(rng, 8, 6), "k", share)


@check(
    "split",
    hint="A chain of 20,000 callers, each with the next in a call, took more than 8 seconds, or recursion ended. Keep "
    "for each caller a smaller one of the group, and shorten the way while you walk it.",
)
def follows_long_chains(student, rng):
    names = [f"{k:05d}" for k in range(20_000)]
    for order in (range(19_998, -1, -1), rng.permutation(3000).tolist()):
        records = [_record(f"r{k}-{side}", call=f"call {k}", caller=names[k + side]) for k in order for side in (0, 1)]
        got = student(records, "chain", 0.5, seconds=8.0)
        digest = hmac.new(b"chain", b"00000", hashlib.sha256).digest()
        part = "test" if digest[0] < 128 else "train"
        expect.equal(got, {"train": [], "test": []} | {part: [one["id"] for one in records]})


# Task 7: merge


@oracle("merge")
def merge(one, other):
    """Field by field; of the ends, by sorting."""
    both = {}
    for name in ("count", "total", "squares"):
        both[name] = one[name] + other[name]
    for name, place in (("smallest", 0), ("largest", -1)):
        known = sorted(some[name] for some in (one, other) if some[name] is not None)
        both[name] = known[place] if known else None
    both["buckets"] = dict(one["buckets"])
    for name, number in other["buckets"].items():
        both["buckets"][name] = both["buckets"].get(name, 0) + number
    known = set(one["callers"]) | set(other["callers"])
    both["callers"] = [number for rank, number in enumerate(sorted(known)) if rank < KEPT]
    return both


def _of(values, callers):
    """The summary of durations and of hashes of callers, from all of them at once."""
    buckets = [str(value.bit_length()) for value in values]
    return {
        "count": len(values),
        "total": sum(values),
        "squares": sum(value * value for value in values),
        "smallest": min(values, default=None),
        "largest": max(values, default=None),
        "buckets": {name: buckets.count(name) for name in set(buckets)},
        "callers": sorted(set(callers))[:KEPT],
    }


def _values(rng, n, callers=1000):
    """Durations, some of them huge, and callers of so many different ones."""
    values = [int(rng.integers(0, 2 ** int(rng.integers(1, 62)))) * int(rng.integers(1, 10**6)) for _ in range(n)]
    return values, [int(one) * 4_000_037 % 2**32 for one in rng.integers(callers, size=n)]


def _cut(rng, values, callers, pieces):
    """The summaries of a list's pieces, some of them of nothing."""
    ends = [0, *sorted(rng.integers(0, len(values) + 1, pieces - 1).tolist()), len(values)]
    return [_of(values[a:b], callers[a:b]) for a, b in itertools.pairwise(ends)]


@check(
    "merge",
    hint="Two summaries were not merged to that of all values together: exact whole numbers of any size, the smaller "
    "and the larger end, each bucket's counts added, the smallest hashes of both, each once.",
)
def merges_to_all_together(student, rng):
    for n, callers in ((2, 5), (30, 20), (120, 10_000), (120, 30)):
        values, known = _values(rng, n, callers)
        one, other = _cut(rng, values, known, 2)
        expect.equal(student(one, other, seconds=SLOW), _of(values, known))
        half = n // 2
        expect.equal(
            student(_of(values[:half], known[:half]), _of(values[half:], known[half:]), seconds=SLOW),
            _of(values, known),
        )


@check("merge", hint="Merging with EMPTY, on either side, changed a summary: None is no end, and 0 is one.")
def nothing_changes_nothing(student, rng):
    for values, callers in (([], []), ([0], [0]), ([0, 0], [2**32 - 1, 0]), _values(rng, 50)):
        some = _of(values, callers)
        expect.equal(student(some, EMPTY, seconds=SLOW), some)
        expect.equal(student(EMPTY, some, seconds=SLOW), some)


@check(
    "merge",
    hint="Another order, or another grouping, made another summary. Look at what you cut off before everything has "
    "come together, and at what you round.",
)
def order_and_grouping_make_no_difference(student, rng):
    for callers in (40, 5000):
        values, known = _values(rng, 150, callers)
        pieces, want = _cut(rng, values, known, 6), _of(values, known)
        for _ in range(4):
            left = _shuffled(rng, pieces)
            while len(left) > 1:
                place = int(rng.integers(len(left) - 1))
                got = student(left[place], left[place + 1], seconds=SLOW)
                expect.true(_is_summary(got))
                left[place : place + 2] = [got]
            expect.equal(left[0], want)


def _is_summary(value):
    """Whether it has the fields of a summary, with what can be merged in them."""
    if not isinstance(value, dict) or set(value) != set(EMPTY):
        return False
    whole = [value["count"], value["total"], value["squares"]]
    ends = [one for one in (value["smallest"], value["largest"]) if one is not None]
    if not isinstance(value["buckets"], dict) or not isinstance(value["callers"], (list, tuple)):
        return False
    return all(type(one) is int for one in [*whole, *ends, *value["buckets"].values(), *value["callers"]])


# Task 8: panes


@oracle("panes")
def panes(script, size, lateness):
    """Each pane is worked out anew from the script's beginning up to the step that tells it."""
    if size < 1 or lateness < 0:
        raise ValueError("windows of 1 s or more, and a lateness of 0 or more")
    steps = [*script, {"watermark": math.inf}]
    marks = list(itertools.accumulate((step.get("watermark", -math.inf) for step in steps), max))
    taken, dropped, seen = [], [], []
    for number, step in enumerate(steps):
        for one in step.get("events", []):
            if one["id"] not in seen:
                seen.append(one["id"])
                start = math.floor(Fraction(one["at"], size)) * size
                if start + size + lateness < marks[number]:
                    dropped.append(one["id"])
                else:
                    taken.append((number, start, one["ms"]))
    told = []
    for number in range(len(steps)):
        for start in sorted({start for _, start, _ in taken}):
            if timing := _timing(number, start, size, taken, marks):
                values = [ms for when, window, ms in taken if window == start and when <= number]
                told.append({"start": start, "timing": timing, "count": len(values), "total": sum(values)})
    return {"panes": told, "dropped": dropped}


def _timing(number, start, size, taken, marks):
    """What a window tells after a step; None if nothing."""
    if marks[number] < start + size:
        return None
    if any(when == number and window == start for when, window, _ in taken):
        return "late"
    has_events = any(when < number and window == start for when, window, _ in taken)
    return "on time" if has_events and number and marks[number - 1] < start + size else None


@covers("panes")
def are_whole_numbers(script, size, lateness):
    """Whole numbers, and steps that bring either events or a watermark."""
    return all(type(one) is int for one in (size, lateness)) and all(len(step) == 1 for step in script)


def _script(rng, n, late=0.3, twice=0.2, back=0.0, longest=80):
    """Events in random steps, and watermarks that go on, or back now and then."""
    events = [
        {"id": f"e{k}", "at": int(at), "ms": int(rng.integers(0, 50))}
        for k, at in enumerate(sorted(rng.integers(0, longest, n)))
    ]
    delay = [int(rng.integers(0, 40)) if rng.random() < late else int(rng.integers(0, 4)) for _ in events]
    arrivals = sorted(
        ((one["at"] + wait, one["id"], one) for one, wait in zip(events, delay, strict=True)), key=lambda one: one[:2]
    )
    order = [one for _, _, one in arrivals]
    for one in [one for one in order if rng.random() < twice]:
        order.insert(int(rng.integers(len(order) + 1)), one)
    steps, mark = [], 0
    while order:
        size = int(rng.integers(0, 5))
        steps.append({"events": order[:size]})
        order = order[size:]
        mark += int(rng.integers(0, 14))
        if rng.random() < 0.6:
            steps.append({"watermark": mark - (int(rng.integers(30)) if rng.random() < back else 0)})
    return steps


def _played(student, script, size, lateness, hint=None):
    expect.equal(student(script, size, lateness, seconds=SLOW), panes(script, size, lateness), hint=hint)


@check(
    "panes",
    hint="With events in order, none late and none twice, the panes are others: windows start at multiples of their "
    "size, and tell once, when the watermark reaches their end; those that are open at the script's end tell then.",
)
def tells_windows_on_time(student, rng):
    for n in (0, 1, 12, 40):
        events = [
            {"id": f"e{k}", "at": int(at), "ms": int(rng.integers(50))}
            for k, at in enumerate(sorted(rng.integers(0, 90, n)))
        ]
        steps = [step for one in events for step in ({"watermark": one["at"]}, {"events": [one]})]
        for size in (1, 7, 10, 200):
            _played(student, steps, size, _pick(rng, [0, 3]))
            _played(student, [{"events": events}], size, 0)
            _played(
                student, [{"events": events[::-1]}, {"watermark": 50}, {"watermark": 50}, {"watermark": 70}], size, 0
            )


@check(
    "panes",
    hint="With events that come late, panes are others: those of a step make one late pane for each window that has "
    "ended, of all that it has taken so far; a window that had ended empty is late, too; steps "
    "without events tell nothing.",
)
def tells_late_panes(student, rng):
    for lateness in (1000, 1000, 1000, 30):
        _played(student, _script(rng, 30, late=0.6, twice=0), 10, lateness)
    late = [{"id": f"l{k}", "at": at, "ms": k + 1} for k, at in enumerate((25, 3, 12, 4, 38, 19))]
    for mark in (0, 9, 10, 20, 30, 50):
        _played(student, [{"watermark": mark}, {"events": late}, {"events": []}, {"watermark": mark}], 10, 100)


@check(
    "panes",
    hint="Who is dropped is another: a window's end plus the lateness has to be below the watermark as it is when the "
    "event comes. What is dropped is in no pane.",
)
def drops_what_is_too_late(student, rng):
    for lateness in (0, 1, 5, 20):
        _played(student, _script(rng, 40, late=0.7, twice=0), _pick(rng, [3, 10]), lateness)
        early = [{"events": [{"id": "a", "at": 7, "ms": 1}]}]
        for mark in (9 + lateness, 10 + lateness, 11 + lateness):
            _played(
                student,
                [
                    *early,
                    {"watermark": mark},
                    {"events": [{"id": "b", "at": 9, "ms": 2}, {"id": "c", "at": 10, "ms": 3}]},
                ],
                10,
                lateness,
            )


@check(
    "panes",
    hint="Events that came twice made a difference: in one step, in two, before the window has ended or after it, or "
    "when the first one was dropped. An id counts once, and coming again tells nothing.",
)
def counts_once_what_comes_twice(student, rng):
    for lateness in (0, 10, 1000):
        _played(student, _script(rng, 30, late=0.4, twice=0.7), 10, lateness)
    one, other = {"id": "a", "at": 5, "ms": 3}, {"id": "b", "at": 6, "ms": 4}
    for steps in (
        [[one, one]],
        [[one], 12, [one]],
        [12, [one], [one, other]],
        [40, [one], [one, other, other]],
        [[one], 40, [one]],
    ):
        script = [{"events": step} if isinstance(step, list) else {"watermark": step} for step in steps]
        _played(student, script, 10, 5)


@check(
    "panes",
    hint="A watermark that is below an earlier one changes nothing: time does not go back.",
)
def time_never_goes_back(student, rng):
    for _ in range(4):
        _played(student, _script(rng, 30, late=0.5, back=0.6), 10, _pick(rng, [0, 8, 100]))
    one = {"id": "a", "at": 5, "ms": 3}
    _played(student, [{"watermark": 40}, {"watermark": 3}, {"events": [one]}, {"watermark": 12}], 10, 5)
    _played(student, [{"events": [one]}, {"watermark": 11}, {"watermark": 2}, {"events": [one | {"id": "b"}]}], 10, 0)


@check(
    "panes",
    hint="Windows of less than one second and a lateness below 0 raise ValueError; a lateness of 0 and a script "
    "without steps are fine.",
)
def refuses_sizes_that_are_none(student, rng):
    for size, lateness in ((0, 5), (-10, 5), (10, -1)):
        expect.raises(student, ValueError, _pick(rng, [[], _script(rng, 5)]), size, lateness)
    for size in (1, 10):
        _played(student, [], size, 0)
