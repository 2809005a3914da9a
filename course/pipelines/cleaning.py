"""Text in one form, and what is left out, each with its reason (Lecture 8).

A filter is a function from a record to whether it goes. Its limits are constants that a reader can argue with, and
every record that goes is counted under the filter's name: a corpus whose card says "cleaned" and no more cannot be
judged.

Sources: The Unicode Consortium, Unicode Standard Annex 15 (normalisation forms); J. Rae et al., Scaling Language
Models: Methods, Analysis & Insights from Training Gopher, 2021, appendix A (quality and repetition filters).
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable

from course.pipelines.languages import spoken_language
from course.pipelines.records import Record

# Marks of transcribers for what is no word: "[noise]", "<unk>". Placeholders of the redaction are in capitals and stay.
MARK = re.compile(r"\[[a-z _/-]*\]|<[a-z _/-]*>")
BROKEN_WORD = re.compile(r"(?<!\S)[^\W\d_]+-(?=\s|$)")  # "th-", a word that was broken off
PLAIN = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "..."})
MOJIBAKE = re.compile("\ufffd|Ã[\u0080-\u00bf]|â€")  # UTF-8 that somebody has read as Latin-1

LANGUAGE = "en"
LONGEST = 5_000  # words; no call of the corpus has as many
LEAST_LETTERS = 0.7  # share of letters, apostrophes and white space
MOST_REPEATED = 0.15  # share of the most frequent run of four words; a phrase of six, over and over, has a sixth
ENOUGH_TO_REPEAT = 20  # words; a shorter text may say the same thing twice


def normalise_text(text: str) -> str:
    """A text in the form that all later steps may rely on; done twice it changes nothing.

    Compatibility forms become plain letters (NFKC), curly quotes straight ones, control and invisible characters go,
    and every stretch of white space becomes one space.
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    while (cleaner := _normalised_once(text)) != text:
        text = cleaner
    return text


def _normalised_once(text: str) -> str:
    """Taking out a character can bring two together that compose, so once may not be enough."""
    composed = unicodedata.normalize("NFKC", text).translate(PLAIN)
    shown = (" " if character.isspace() else character for character in composed)
    visible = "".join(c for c in shown if c == " " or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn"))
    return " ".join(visible.split())


def clean_turn(text: str) -> str:
    """What was said: a normalised text without transcribers' marks and broken-off words; done twice, as done once."""
    text = normalise_text(text)
    while (cleaner := " ".join(BROKEN_WORD.sub(" ", MARK.sub(" ", text)).split())) != text:
        text = cleaner
    return text


def clean(record: Record) -> Record:
    """The record with clean turns; turns in which nothing is left go."""
    return record.with_texts([clean_turn(turn.text) for turn in record.turns])


def is_empty(record: Record) -> bool:
    """Nobody says a word."""
    return not any(character.isalpha() for character in record.text)


def is_one_sided(record: Record) -> bool:
    """A dialog in which only one side speaks: the other recording is missing."""
    return record.kind == "dialog" and len({turn.role for turn in record.turns}) < 2


def is_too_long(record: Record) -> bool:
    """More words than a call can have: several calls in one file, or a transcriber that looped."""
    return record.n_words > LONGEST


def has_damaged_letters(record: Record) -> bool:
    """Replacement characters, or UTF-8 that was read as Latin-1 and written again."""
    return bool(MOJIBAKE.search(record.text))


def is_not_words(record: Record) -> bool:
    """Mostly digits and punctuation: a table, a log or markup."""
    text = record.text
    wordlike = sum(character.isalpha() or character.isspace() or character in "'[]" for character in text)
    return wordlike < LEAST_LETTERS * len(text)


def is_repetitive(record: Record) -> bool:
    """One run of four words makes up much of the text: a recogniser that is stuck, or music on hold."""
    words = record.text.split()
    if len(words) < ENOUGH_TO_REPEAT:
        return False
    runs = Counter(zip(words, words[1:], words[2:], words[3:], strict=False))
    return runs.most_common(1)[0][1] > MOST_REPEATED * runs.total()


def is_foreign(record: Record) -> bool:
    """Another language than ``LANGUAGE``, by :func:`course.pipelines.languages.spoken_language`."""
    return spoken_language(record.text) not in (LANGUAGE, None)


FILTERS: dict[str, Callable[[Record], bool]] = {
    "empty": is_empty,
    "one-sided": is_one_sided,
    "too many words": is_too_long,
    "damaged letters": has_damaged_letters,
    "not words": is_not_words,
    "repetitive": is_repetitive,
    "another language": is_foreign,
}


def reason_to_drop(record: Record) -> str | None:
    """The name of the first filter that the record does not pass, or None."""
    return next((name for name, drops in FILTERS.items() if drops(record)), None)
