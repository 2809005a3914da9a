"""Personal data found in what was said, and replaced by what kind of thing it was (Lecture 8).

Callers spell: "four two one one", "maria dot gonzalez at example dot com". So a rule reads words, not characters:
number words become digits, and what a run of digits is depends on what the agent has just asked. What one turn gives
away (a name) is looked for in all turns of the dialog. The rules prefer recall: a word too many costs a model little, a
card number that stays costs somebody money. How well they do is measured in :mod:`course.pipelines.redaction_measured`.

A placeholder such as "[CARD]" holds no personal data and is never replaced, so redacting twice is redacting once.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from course.pipelines.records import Record
from course.scoring import ONES, TENS, UNITS

KINDS = ("NAME", "CARD", "ACCOUNT", "PHONE", "DATE_OF_BIRTH", "EMAIL", "ADDRESS")
PLACEHOLDER = re.compile(r"\[(?:" + "|".join(KINDS) + r")\]")
MASK = "\ufffc"  # stands for what has been found; no letter, so that no rule reads over it
WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")

WORDS = {
    name: frozenset(words.split())
    for name, words in tomllib.loads(Path(__file__).with_name("redaction.toml").read_text(encoding="utf-8")).items()
}
MONTHS, ORDINALS, STREETS, COUNTED, CLOSED = (
    WORDS[name] for name in ("months", "ordinals", "streets", "counted", "closed")
)
ORDINARY = CLOSED | WORDS["ordinary"]
DIGITS = {word: str(value) for value, word in enumerate(UNITS)}
TENFOLD = {word: str(value) for value, word in enumerate(TENS) if value > 1}  # "twenty" to its first digit
SPOKEN = {word: str(value) for value, word in enumerate(ONES)} | TENFOLD
TIMES = {"double": 2, "triple": 3}
ZEROS = frozenset(("oh", "o"))  # only between other digits

EMAIL = re.compile(r"[\w.+-]+@\w[\w-]*(?:\.[\w-]+)+")
SPOKEN_EMAIL = re.compile(
    r"\b\w+(?: (?:dot|underscore|dash|hyphen|period) \w+)* at \w+(?: (?:dash|hyphen) \w+)*(?: dot \w+)+\b"
)
WRITTEN_PHONE = re.compile(r"(?<![\w-])(?:\+?1[ .-]?)?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}(?![\w-])")
WRITTEN_DATE = re.compile(r"(?<![\w-])(?:\d{1,2}[/.-]\d{1,2}[/.-](?:19|20)\d{2}|(?:19|20)\d{2}-\d{2}-\d{2})(?![\w-])")

# What the agent asks for, by words of the question; the first that fits counts.
ASKED = (
    ("EMAIL", re.compile(r"\be-?mail\b|\bemail\b")),
    ("PHONE", re.compile(r"\bphone|\btelephone\b|\bcall you back\b|\bmobile\b|\breach you\b")),
    ("DATE_OF_BIRTH", re.compile(r"\bbirth|\bborn\b")),
    (
        "CARD",
        re.compile(r"\bcard number\b|\bdigits (?:on|of) (?:the|your) card\b|\bcard\b.*\bnumber\b|\bacross the card\b"),
    ),
    ("ACCOUNT", re.compile(r"\baccount\b.*\b(?:number|digits)\b|\bnumber\b.*\b(?:account|statement)\b")),
    ("ADDRESS", re.compile(r"\baddress\b|\bwhere do you live\b|\bstreet\b")),
    ("NAME", re.compile(r"(?<!my )\bname\b|\bwho am i\b|\bwho do i\b|\bwho i'm\b|\bspeaking with\b")),
)
NUMBER_KINDS = ("CARD", "ACCOUNT", "PHONE")
# Words that say, close before a run of digits, what the digits are.
NEAR = {
    "account": "ACCOUNT",
    "card": "CARD",
    "phone": "PHONE",
    "telephone": "PHONE",
    "mobile": "PHONE",
    "cell": "PHONE",
}
NEAR_WORDS = 6
HESITATION = 2  # words of a turn that only takes time to think

STRONG = re.compile(r"\b(?:names? (?:is|was)|name's|call me|calls me|speaking (?:with|to)|goes by)(?= )")
WEAK = re.compile(r"\b(?:this is|it's|i'm|i am|that's|it is)(?= )")
LONGEST_NAME = 3  # words
LISTENED = 8  # words; an answer to "your name" that is longer tells something else


class Span(NamedTuple):
    """Where in a text something personal stands: characters ``start`` to ``end``, and what it is."""

    start: int
    end: int
    kind: str


class Token(NamedTuple):
    """A word: where it stands, and in lower case."""

    start: int
    end: int
    word: str


def find(texts: Sequence[str], known_names: Iterable[str] = ()) -> list[list[Span]]:
    """What is personal in the turns of a dialog.

    The rules run until they find nothing more: a name that one turn gives away may uncover the next.

    Args:
        texts: the turns, cleaned.
        known_names: names that the call's form holds.

    Returns:
        For each turn its spans in order, none overlapping another.
    """
    known = [re.compile(rf"\b{re.escape(name.lower())}\b") for name in known_names if name.strip()]
    masked = [PLACEHOLDER.sub(lambda found: MASK * len(found[0]), text) for text in texts]
    names = {part for name in known_names for part in _words(name)}
    spans: list[list[Span]] = [[] for _ in texts]
    while True:
        found = [_spans_of_turn(masked, place, names, known) for place in range(len(masked))]
        if not any(found):
            return [sorted(of_turn) for of_turn in spans]
        for place, new in enumerate(found):
            names |= {
                word for span in new if span.kind == "NAME" for word in _words(masked[place][span.start : span.end])
            }
        for place, new in enumerate(found):
            spans[place] += new
            masked[place] = _masked(masked[place], new)


def redact(texts: Sequence[str], known_names: Iterable[str] = ()) -> tuple[list[str], Counter]:
    """The turns with a placeholder for everything personal, and how many of each kind were put in."""
    spans = find(texts, known_names)
    counts = Counter(span.kind for of_turn in spans for span in of_turn)
    return [_replaced(text, of_turn) for text, of_turn in zip(texts, spans, strict=True)], counts


def redact_record(record: Record) -> tuple[Record, Counter]:
    """The record without personal data, its form's included, and how many of each kind there were."""
    names = [name for key, values in record.known.items() if key == "name" for name in values]
    texts, counts = redact([turn.text for turn in record.turns], names)
    return record.with_texts(texts).model_copy(update={"known": {}}), counts


@lru_cache(maxsize=4096)
def asked_for(text: str) -> str | None:
    """The kind of personal data that a turn asks for, or None."""
    lower = text.lower()
    return next((kind for kind, question in ASKED if question.search(lower)), None)


def _spans_of_turn(texts: Sequence[str], place: int, names: set[str], known: Sequence[re.Pattern]) -> list[Span]:
    """New spans in one turn, by all rules; of two that overlap the longer stays, then that of the earlier rule."""
    text = _lower(texts[place])
    tokens = [Token(found.start(), found.end(), found[0]) for found in WORD.finditer(text)]
    runs, asked = runs_of_digits(text, tokens), _question_before(texts, place)
    found = [
        *_matches(EMAIL, text, "EMAIL"),
        *_matches(SPOKEN_EMAIL, text, "EMAIL"),
        *_matches(WRITTEN_PHONE, text, "PHONE"),
        *_matches(WRITTEN_DATE, text, "DATE_OF_BIRTH"),
        *_addresses(text, tokens, runs),
        *_dates_of_birth(text, tokens, asked),
        *_numbers(tokens, runs, asked),
        *_names(text, tokens, asked, is_opening=place == 0),
        *(span for name in known for span in _matches(name, text, "NAME")),
        *(Span(token.start, token.end, "NAME") for token in tokens if _is_part_of(token.word, names)),
    ]
    chosen: list[Span] = []
    for span in sorted(found, key=lambda span: span.start - span.end):
        if all(span.end <= other.start or other.end <= span.start for other in chosen):
            chosen.append(span)
    return _joined_names(text, sorted(chosen))


def _question_before(texts: Sequence[str], place: int) -> str | None:
    """The kind that the turn before asks for, or, where that is a hesitation, the one before it."""
    before = [text for text in texts[max(place - 2, 0) : place]]
    if len(before) == 2 and len(before[1].split()) <= HESITATION:
        return asked_for(before[1]) or asked_for(before[0])
    return asked_for(before[-1]) if before else None


def _matches(pattern: re.Pattern, text: str, kind: str) -> Iterator[Span]:
    return (Span(found.start(), found.end(), kind) for found in pattern.finditer(text))


def _is_part_of(word: str, names: set[str]) -> bool:
    return word.removesuffix("'s") in names


def _words(name: str) -> list[str]:
    """The parts of a name that are worth looking for elsewhere."""
    return [
        word for word in WORD.findall(name.lower()) if len(word) > 1 and word not in ORDINARY and word not in SPOKEN
    ]


class Run(NamedTuple):
    """Number words in a row: tokens ``first`` to ``last``, their digits, and how many were said one by one."""

    first: int
    last: int
    digits: str
    n_single: int


def runs_of_digits(text: str, tokens: Sequence[Token]) -> list[Run]:
    """Stretches of number words with nothing but space or a dash between; "double oh seven" is three digits.

    >>> [run.digits for run in runs_of_digits(*_tokenised("four two double seven then nineteen eighty two"))]
    ['4277', '1982']
    """
    runs, place = [], 0
    while place < len(tokens):
        first, digits, single = place, "", 0
        while place < len(tokens) and (place == first or _adjacent(text, tokens[place - 1], tokens[place])):
            value, used = _digits_at(tokens, place, inside=bool(digits))
            if not used:
                break
            one_by_one = tokens[place].word in TIMES or len(value) == 1
            digits, single, place = digits + value, single + one_by_one * len(value), place + used
        if digits:
            runs.append(Run(first, place - 1, digits, single))
        else:
            place += 1
    return runs


def _lower(text: str) -> str:
    """Lower case letter by letter, so that places stay what they are; "İ" would become two characters."""
    return "".join(lower if len(lower := character.lower()) == 1 else character for character in text)


def _tokenised(text: str) -> tuple[str, list[Token]]:
    return text, [Token(found.start(), found.end(), found[0]) for found in WORD.finditer(text)]


def _digits_at(tokens: Sequence[Token], place: int, inside: bool) -> tuple[str, int]:
    """The digits that a token stands for, and how many tokens they take; ("", 0) where it is no number."""
    word = tokens[place].word
    following = tokens[place + 1].word if place + 1 < len(tokens) else ""
    if word.isdecimal() and word.isascii():
        return word, 1
    if word in TIMES and (digit := _single_digit(following)):
        return digit * TIMES[word], 2
    if word in ZEROS:
        return ("0", 1) if inside or following in DIGITS or following in ZEROS else ("", 0)
    if word in TENFOLD:
        units = DIGITS.get(following, "0")
        return (SPOKEN[word] + units, 1 if units == "0" else 2)  # "eighty two" is one number
    return (SPOKEN[word], 1) if word in SPOKEN else ("", 0)


def _single_digit(word: str) -> str:
    """The one digit that a word says, "oh" as a zero; "" where it says none or more."""
    if word in ZEROS:
        return "0"
    return word if len(word) == 1 and word in "0123456789" else DIGITS.get(word, "")


def _adjacent(text: str, before: Token, after: Token) -> bool:
    return not text[before.end : after.start].strip(" -.,()+/")


def _numbers(tokens: Sequence[Token], runs: Sequence[Run], asked: str | None) -> Iterator[Span]:
    """Cards, accounts and telephones among the runs of digits."""
    for run in runs:
        following = tokens[run.last + 1].word if run.last + 1 < len(tokens) else ""
        if following in COUNTED:
            continue
        kind = _kind_of_number(run, _said_before(tokens, run.first) or asked)
        if kind:
            yield Span(tokens[run.first].start, tokens[run.last].end, kind)


def _said_before(tokens: Sequence[Token], first: int) -> str | None:
    """The kind that the nearest telling word before a run names."""
    before = tokens[max(first - NEAR_WORDS, 0) : first]
    return next((NEAR[token.word] for token in reversed(before) if token.word in NEAR), None)


def _kind_of_number(run: Run, context: str | None) -> str | None:
    """What a run of digits is, by its length and by what was asked; None where it is nobody's business."""
    n = len(run.digits)
    if n >= 13:
        return "CARD"
    if context in NUMBER_KINDS and (n >= 4 or (n == 3 and run.n_single == 3)):
        return context
    if n >= 10:
        return "PHONE"
    return "ACCOUNT" if n >= 6 or run.n_single >= 4 else None


def _dates_of_birth(text: str, tokens: Sequence[Token], asked: str | None) -> Iterator[Span]:
    """A month with a day and a year, or, where a birth is spoken of, any of them."""
    born = asked == "DATE_OF_BIRTH" or asked_for(text) == "DATE_OF_BIRTH"
    place = 0
    while place < len(tokens):
        if not (tokens[place].word in MONTHS or _is_day_or_year(tokens[place].word)):
            place += 1
            continue
        first, last, has_month, year = _date_at(text, tokens, place)
        if (has_month and year) or (born and (year or last > first)):
            yield Span(tokens[first].start, tokens[last].end, "DATE_OF_BIRTH")
        place = last + 1


def _date_at(text: str, tokens: Sequence[Token], first: int) -> tuple[int, int, bool, bool]:
    """The stretch of date words from a token on: its first and last token, whether it has a month, and a year."""
    place, last, has_month = first, first - 1, False
    while place < len(tokens) and (place == first or _adjacent(text, tokens[place - 1], tokens[place])):
        word = tokens[place].word
        links = word in ("the", "of", "in") and place > first
        if word in MONTHS:
            has_month = True
        elif not (links or _is_day_or_year(word)):
            break
        last, place = (last, place + 1) if links else (place, place + 1)
    years = [run.digits for run in runs_of_digits(text, tokens[first : last + 1])]
    return first, last, has_month, any(re.search(r"(?:19|20)\d\d$", digits) for digits in years)


def _is_day_or_year(word: str) -> bool:
    return word in ORDINALS or word in SPOKEN or word in ZEROS or bool(re.fullmatch(r"\d+(?:st|nd|rd|th)?", word))


def _addresses(text: str, tokens: Sequence[Token], runs: Sequence[Run]) -> Iterator[Span]:
    """A number, one to three words and a kind of street, with the flat behind it where one is named."""
    for run in runs:
        for last in range(run.last + 2, min(run.last + 5, len(tokens))):
            between = tokens[run.last + 1 : last + 1]
            if tokens[last].word in STREETS and not any(token.word in COUNTED | CLOSED for token in between):
                yield Span(tokens[run.first].start, _with_flat(text, tokens, last), "ADDRESS")
                break


def _with_flat(text: str, tokens: Sequence[Token], last: int) -> int:
    flat = re.compile(r"[ ,]*(?:apartment|apt|unit|suite|flat|number)(?: (?:\w|\d+|" + "|".join(SPOKEN) + r")\b){1,3}")
    found = flat.match(text, tokens[last].end)
    return found.end() if found else tokens[last].end


def _names(text: str, tokens: Sequence[Token], asked: str | None, is_opening: bool) -> Iterator[Span]:
    """Names after words that announce one, before "speaking", spelled letter by letter, and as a bare answer."""
    for found in STRONG.finditer(text):
        yield from _name_from(text, tokens, _first_after(text, tokens, found.end()), CLOSED)
    for found in WEAK.finditer(text) if asked == "NAME" or is_opening else ():
        yield from _name_from(text, tokens, _first_after(text, tokens, found.end()), ORDINARY)
    for place in range(1, len(tokens)):
        if is_opening and tokens[place].word == "speaking" and _adjacent(text, tokens[place - 1], tokens[place]):
            yield from _name_from(text, tokens[:place], place - 1, ORDINARY)
    yield from _spelled(text, tokens)
    if asked == "NAME" and len(text.split()) <= LISTENED and not asked_for(text):
        for place in range(len(tokens)):
            yield from _name_from(text, tokens, place, ORDINARY)


def _first_after(text: str, tokens: Sequence[Token], end: int) -> int:
    """The token that follows a place with nothing but hesitation and titles between; the last if there is none."""
    place = next((number for number, token in enumerate(tokens) if token.start >= end), len(tokens))
    if place < len(tokens) and text[end : tokens[place].start].strip():
        return len(tokens)  # what follows has been found already
    while place < len(tokens) and tokens[place].word in ("uh", "um", "mr", "mrs", "ms", "miss", "doctor", "dr"):
        place += 1
    return place


def _name_from(text: str, tokens: Sequence[Token], place: int, never_first: frozenset[str]) -> Iterator[Span]:
    """The name that begins at a token, if one can: up to ``LONGEST_NAME`` words that are not ``CLOSED``."""
    if place >= len(tokens) or not _may_be_name(tokens[place].word, never_first):
        return
    last = place
    while last + 1 < min(place + LONGEST_NAME, len(tokens)) and _may_be_name(tokens[last + 1].word, CLOSED):
        if not _adjacent(text, tokens[last], tokens[last + 1]):
            break
        last += 1
    yield Span(tokens[place].start, tokens[last].end, "NAME")


def _may_be_name(word: str, excluded: frozenset[str]) -> bool:
    return len(word) > 1 and word.replace("'", "").isalpha() and word not in excluded and word not in SPOKEN


def _spelled(text: str, tokens: Sequence[Token]) -> Iterator[Span]:
    """Three single letters or more in a row: a name, spelled."""
    first = 0
    for place in range(len(tokens) + 1):
        inside = place < len(tokens) and len(tokens[place].word) == 1 and tokens[place].word.isalpha()
        if inside and (place == first or _adjacent(text, tokens[place - 1], tokens[place])):
            continue
        if place - first >= 3:
            yield Span(tokens[first].start, tokens[place - 1].end, "NAME")
        first = place if inside else place + 1


def _joined_names(text: str, spans: list[Span]) -> list[Span]:
    """The parts of a name that stand side by side as one span."""
    joined: list[Span] = []
    for span in spans:
        last = joined[-1] if joined else None
        if last and last.kind == span.kind == "NAME" and not text[last.end : span.start].strip():
            joined[-1] = Span(last.start, span.end, "NAME")
        else:
            joined.append(span)
    return joined


def _masked(text: str, spans: Iterable[Span]) -> str:
    for span in spans:
        text = text[: span.start] + MASK * (span.end - span.start) + text[span.end :]
    return text


def _replaced(text: str, spans: Sequence[Span]) -> str:
    for span in reversed(spans):
        text = f"{text[: span.start]}[{span.kind}]{text[span.end :]}"
    return text
