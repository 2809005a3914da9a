"""How much of what is personal a redaction finds, and how much else it takes (Lecture 8).

Nobody can count what a redaction missed in real calls without reading them. In made-up dialogs the personal data are
known to the character: each answer is a template with a value. *Recall* is the share of values of which nothing is left
but a placeholder; *precision* the share of replaced words that were personal. Dialogs, not values, are drawn again for
the intervals, because a dialog's values share a wording.

The rules were written with one set of templates in view. The other set was written after them: the difference between
the two is what a figure measured on one's own examples is worth.
"""

import random
import tomllib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

from course.evaluation.intervals import Interval, accuracy_interval
from course.language.calls import in_words
from course.pipelines.redaction import KINDS, Span, find
from course.scoring import UNITS

WORDINGS = ("familiar", "unfamiliar")
ASKS = 4  # questions of a dialog

Find = Callable[[Sequence[str], Sequence[str]], list[list[Span]]]


@dataclass(frozen=True)
class Annotated:
    """A dialog of which it is known what is personal.

    Attributes:
        texts: the turns.
        spans: for each turn what should be found.
        form: the names that the bank's form holds: caller's and agent's.
    """

    texts: tuple[str, ...]
    spans: tuple[tuple[Span, ...], ...]
    form: tuple[str, ...] = ()


class Measured(NamedTuple):
    """What a redaction did with some dialogs."""

    recall: Interval  # of the values
    precision: Interval  # of the words that it replaced
    by_kind: dict[str, Interval]  # recall of each kind that occurs
    missed: tuple[str, ...]  # values of which something is left


def annotated_dialogs(n: int, wording: str, seed: int = 0) -> tuple[Annotated, ...]:
    """Made-up dialogs with known personal data.

    Args:
        n: how many.
        wording: "familiar", templates that the rules were written for, or "unfamiliar".
        seed: of the random numbers.

    Raises:
        ValueError: another wording, or a negative number.
    """
    if wording not in WORDINGS or n < 0:
        raise ValueError(
            f"At least 0 dialogs in one of the wordings {WORDINGS} were expected; {n} in {wording!r} came."
        )
    return tuple(_dialog(random.Random(f"{wording}-{seed}-{number}"), wording) for number in range(n))


def measured(dialogs: Iterable[Annotated], finder: Find = find) -> Measured:
    """Recall and precision of a redaction, with intervals.

    Args:
        dialogs: at least one with something personal.
        finder: from the turns of a dialog and the names of its form to spans, as
            :func:`course.pipelines.redaction.find`.

    Raises:
        ValueError: nothing personal in the dialogs.
    """
    values, replaced = [], []
    for number, dialog in enumerate(dialogs):
        found = finder(dialog.texts, dialog.form)
        for text, true, spans in zip(dialog.texts, dialog.spans, found, strict=True):
            values += [
                (number, span.kind, text[span.start : span.end], _is_covered(text, span, spans)) for span in true
            ]
            replaced += [(number, _is_covered(text, word, true)) for word in _words_in(text, spans)]
    if not values:
        raise ValueError("Dialogs with something personal were expected, so that there is something to find.")
    kinds = [kind for kind in KINDS if any(kind == of for _, of, _, _ in values)]
    return Measured(
        recall=_share([(number, hit) for number, _, _, hit in values]),
        precision=_share(replaced or [(0, True)]),
        by_kind={kind: _share([(number, hit) for number, of, _, hit in values if of == kind]) for kind in kinds},
        missed=tuple(value for _, _, value, hit in values if not hit),
    )


def with_form(dialogs: Iterable[Annotated]) -> tuple[Annotated, ...]:
    """The same dialogs with the names on the bank's form; without one, rules have to find them in the words."""
    return tuple(replace(dialog, form=_names_of(dialog)) for dialog in dialogs)


def _names_of(dialog: Annotated) -> tuple[str, ...]:
    pairs = zip(dialog.texts, dialog.spans, strict=True)
    return tuple(text[span.start : span.end] for text, spans in pairs for span in spans if span.kind == "NAME")


def _share(outcomes: list[tuple[int, bool]]) -> Interval:
    groups, hits = zip(*outcomes, strict=True)
    return accuracy_interval(hits, groups)


def _is_covered(text: str, wanted: Span, spans: Sequence[Span]) -> bool:
    """Whether no letter or digit of a stretch is outside all the spans."""
    places = (place for place in range(wanted.start, wanted.end) if text[place].isalnum())
    return all(any(span.start <= place < span.end for span in spans) for place in places)


def _words_in(text: str, spans: Iterable[Span]) -> list[Span]:
    """The words of a text that spans replace, each as a span of its own."""
    words = []
    for span in spans:
        place = span.start
        for word in text[span.start : span.end].split():
            start = text.index(word, place)
            place = start + len(word)
            words.append(Span(start, place, span.kind))
    return words


def _dialog(rng: random.Random, wording: str) -> Annotated:
    phrases, values = _phrases()[wording], _phrases()["values"]
    turns = [
        _filled(rng.choice(phrases["greeting"]), "agent", "NAME", rng.choice(values["agent"])),
        (rng.choice(phrases["opening"]), ()),
    ]
    for kind in ["NAME", *rng.sample(KINDS[1:], ASKS - 1)]:
        turns.append((rng.choice(phrases["questions"][kind]), ()))
        turns.append(_filled(rng.choice(phrases["answers"][kind]), "value", kind, VALUES[kind](rng)))
        if rng.random() < 0.5:
            turns.append((rng.choice(phrases["questions"]["NOTHING"]), ()))
            turns.append((rng.choice(_phrases()["nothing"][wording]), ()))
    turns.append((rng.choice(phrases["closing"]), ()))
    texts, spans = zip(*turns, strict=True)
    return Annotated(texts, spans)


def _filled(template: str, slot: str, kind: str, value: str) -> tuple[str, tuple[Span, ...]]:
    start = template.index("{" + slot + "}")
    return template.replace("{" + slot + "}", value), (Span(start, start + len(value), kind),)


def spoken_digits(rng: random.Random, n: int) -> str:
    """``n`` random digits as people say them: one by one, now and then "double" or "oh", or two at a time."""
    if rng.random() < 0.25 and n % 2 == 0:
        return " ".join(_pair(rng) for _ in range(n // 2))
    words = rng.choices(UNITS, k=n)
    if rng.random() < 0.3:
        words = ["oh" if word == "zero" and place else word for place, word in enumerate(words)]
    for place in range(n - 1, 1, -1):
        if words[place] == words[place - 1] and words[place] != "oh" and rng.random() < 0.3:
            words[place - 1 : place + 1] = [f"double {words[place]}"]
            break
    return " ".join(words)


def _pair(rng: random.Random) -> str:
    """A number of two digits in words, 10 to 99."""
    return in_words(rng.randrange(10, 100))


def _name(rng: random.Random) -> str:
    values = _phrases()["values"]
    return f"{rng.choice(values['first'])} {rng.choice(values['last'])}"


def _date(rng: random.Random) -> str:
    values = _phrases()["values"]
    year = f"nineteen {_pair(rng)}"
    month, day = rng.choice(values["month"]), rng.choice(values["ordinal"])
    return rng.choice([f"{month} {day} {year}", f"{day} of {month} {year}", f"{month} {day}"])


def _email(rng: random.Random) -> str:
    values = _phrases()["values"]
    first, last = rng.choice(values["first"]), rng.choice(values["last"]).replace("'", "")
    host, domain = rng.choice(values["host"]), rng.choice(values["domain"])
    return rng.choice(
        [
            f"{first} dot {last} at {host} dot {domain}",
            f"{first}{last} at {host} dot {domain}",
            f"{first}.{last}@{host}.{domain}",
        ]
    )


def _address(rng: random.Random) -> str:
    values = _phrases()["values"]
    number = rng.choice([spoken_digits(rng, 3), _pair(rng), str(rng.randrange(1, 2000))])
    flat = rng.choice(["", "", " apartment four", " unit two b"])
    return f"{number} {rng.choice(values['street'])} {rng.choice(values['kind_of_street'])}{flat}"


def _card(rng: random.Random) -> str:
    written = " ".join(f"{rng.randrange(10_000):04}" for _ in range(4))
    return written if rng.random() < 0.2 else spoken_digits(rng, 16)


def _phone(rng: random.Random) -> str:
    written = f"{rng.randrange(200, 1000)}-{rng.randrange(200, 1000)}-{rng.randrange(10_000):04}"
    return written if rng.random() < 0.2 else spoken_digits(rng, 10)


def _account(rng: random.Random) -> str:
    return spoken_digits(rng, rng.choice([4, 8]))


VALUES: dict[str, Callable[[random.Random], str]] = {
    "NAME": _name,
    "CARD": _card,
    "ACCOUNT": _account,
    "PHONE": _phone,
    "DATE_OF_BIRTH": _date,
    "EMAIL": _email,
    "ADDRESS": _address,
}


@cache
def _phrases() -> dict:
    return tomllib.loads(Path(__file__).with_name("personal.toml").read_text(encoding="utf-8"))
