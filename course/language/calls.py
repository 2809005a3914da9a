"""Made-up calls to a bank, in the form of the Harper Valley corpus (Lectures 7 and 9).

The corpus (:mod:`course.harper_valley`) is too large for a build. These calls have its form (turns of agent and caller,
lower case, no punctuation, dialog acts, one task a call), its eight tasks, and a summary beside. They are put together
from the templates of ``phrases.toml``: a call draws a task, a *family* (one of six ways of speaking, with its own
template for every turn), the values that its slots need, and what goes wrong: a misheard fact, a hesitation, an aside.

Models that are trained on them learn templates faster than any real caller would let them. A split by
:func:`by_family` says how much of what they learned was wording: the held-out calls share no template with the others.
"""

import random
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from course import harper_valley
from course.errors import CourseError

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TEENS = ("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
CHOICE = re.compile(r"\(([^()]*)\)")  # the innermost "(a|b)"

MISHEARD = 0.2  # share of the calls in which the agent repeats a wrong fact
HESITATES = {"plain": 0.05, "chatty": 0.1, "hurried": 0.05, "formal": 0.02, "unsure": 0.3, "roundabout": 0.1}
ASIDES = 0.4  # share of the calls, in families that have any


@dataclass(frozen=True)
class Turn:
    """What one side says until the other answers.

    Attributes:
        speaker_role: who speaks.
        text: lower case, no punctuation.
        dialog_act: what the turn does, for example "data question".
    """

    speaker_role: Literal["agent", "caller"]
    text: str
    dialog_act: str


@dataclass(frozen=True)
class Call:
    """A call as text.

    Attributes:
        sid: its id, "made-up-SEED-NUMBER" or that of the corpus.
        task: what the caller wants, for example "pay bill".
        family: the way of speaking; "" for a real call.
        turns: in the order in which they were spoken.
        summary: what was settled, in one sentence.
    """

    sid: str
    task: str
    family: str
    turns: tuple[Turn, ...]
    summary: str

    @property
    def text(self) -> str:
        """One line a turn, "agent: …" or "caller: …", each ended by a newline."""
        return "".join(f"{turn.speaker_role}: {turn.text}\n" for turn in self.turns)

    @property
    def made_up(self) -> bool:
        """Whether templates said it, and not people."""
        return bool(self.family)

    def said_by(self, speaker_role: str) -> str:
        """The words of one side, turn by turn on lines of their own.

        Raises:
            ValueError: neither "agent" nor "caller".
        """
        if speaker_role not in ("agent", "caller"):
            raise ValueError(f"A side of the call was expected and {speaker_role!r} came. Try 'agent' or 'caller'.")
        return "\n".join(turn.text for turn in self.turns if turn.speaker_role == speaker_role)


def made_up_calls(n: int, seed: int = 0) -> tuple[Call, ...]:
    """``n`` calls; the first of them do not depend on ``n``, so that a longer list begins with the shorter one.

    Raises:
        ValueError: a negative or fractional ``n``.
    """
    if not isinstance(n, int) or n < 0:
        raise ValueError(f"A number of calls of at least 0 was expected and {n!r} came. Try 100.")
    return tuple(_Writer(seed, number).call() for number in range(n))


def tasks() -> tuple[str, ...]:
    """What a caller of :func:`made_up_calls` can want, sorted."""
    return tuple(sorted(_phrases()["tasks"]))


def families() -> tuple[str, ...]:
    """The ways of speaking."""
    return tuple(_phrases()["families"])


def by_family(calls: Iterable[Call], held_out: Iterable[str]) -> tuple[tuple[Call, ...], tuple[Call, ...]]:
    """The calls of all other families, and those of the families held out.

    Raises:
        ValueError: a family that there is not.
    """
    calls, held_out = tuple(calls), set(held_out)
    if unknown := held_out - set(families()):
        raise ValueError(f"Families of wording were expected and {unknown.pop()!r} came. There are {families()}.")
    kept = tuple(call for call in calls if call.family not in held_out)
    return kept, tuple(call for call in calls if call.family in held_out)


def bank_calls(n: int | None = None) -> tuple[Call, ...]:
    """The first ``n`` calls of the Harper Valley corpus, or all, in the same form; turns of noise are left out.

    The corpus has no summaries: each is a sentence about the task.

    Raises:
        CourseError: the corpus is not on this machine.
    """
    sids = harper_valley.call_ids()
    if not sids:
        raise CourseError(
            "The Harper Valley calls are not on this machine; 'course data pull harper-valley' brings them. "
            "made_up_calls gives calls of the same form."
        )
    return tuple(from_published(harper_valley.read_call(sid)) for sid in sids[:n])


def from_published(call: harper_valley.Call) -> Call:
    """A call of the corpus as text; where a segment has several dialog acts, the first."""
    turns = tuple(
        Turn(segment.speaker_role, segment.words, _act(segment.dialog_acts))
        for segment in call.segments
        if segment.words
    )
    task = call.metadata.tasks[0].task_type if call.metadata.tasks else "other"
    return Call(call.metadata.sid, task, "", turns, f"The caller wanted to {task}.")


def in_words(number: int) -> str:
    """A number from 0 to 9,999 as it is said: "three hundred and five" without the "and".

    Raises:
        ValueError: a number out of that range.
    """
    if not 0 <= number < 10_000:
        raise ValueError(f"A number from 0 to 9,999 was expected and {number} came.")
    if number >= 1000:
        return f"{DIGITS[number // 1000]} thousand {in_words(number % 1000) if number % 1000 else ''}".strip()
    if number >= 100:
        return f"{DIGITS[number // 100]} hundred {in_words(number % 100) if number % 100 else ''}".strip()
    if number >= 20:
        return f"{TENS[number // 10]} {DIGITS[number % 10] if number % 10 else ''}".strip()
    return TEENS[number - 10] if number >= 10 else DIGITS[number]


class _Writer:
    """Writes one call; everything is drawn from ``seed`` and ``number``."""

    def __init__(self, seed: int, number: int):
        self.sid = f"made-up-{seed}-{number}"
        self.rng = random.Random(self.sid)
        self.phrases = _phrases()
        self.family = self.rng.choice(self.phrases["families"])
        self.place = self.phrases["families"].index(self.family)
        self.task = self.rng.choice(sorted(self.phrases["tasks"]))
        self.values = self._draw()
        self.turns: list[Turn] = []

    def call(self) -> Call:
        """The call, from greeting to goodbye."""
        self._open()
        self._collect()
        self._settle()
        self._close()
        summary = self._about("summary").format(**self.values)
        return Call(self.sid, self.task, self.family, tuple(self.turns), summary)

    def _open(self) -> None:
        self._say("agent", "greeting", self.phrases["agent"]["greeting"])
        wish = f"{self._form(self.phrases['caller']['hello'])} {self._form(self._about('wants'))}"
        asides = self.phrases["asides"][self.family]
        if asides and self.rng.random() < ASIDES:
            wish = f"{wish} {self._filled(self.rng.choice(asides))}"
        self._add("caller", "problem description", wish)
        self._say("agent", "acknowledgement", self.phrases["agent"]["acknowledgement"])

    def _collect(self) -> None:
        """Ask for the name and for what the task needs."""
        self._say("agent", "data question", self.phrases["agent"]["ask_name"])
        self._say("caller", "data response", self.phrases["caller"]["name"])
        for asked in self._about("asks"):
            question = self.phrases["questions"].get(asked)
            if question is None:  # the caller has said it with the wish
                continue
            self._say("agent", "data question", question)
            if self.rng.random() < HESITATES[self.family]:
                self._say("caller", "filler disfluency", self.phrases["caller"]["filler"])
            self.values["value"] = self._spoken(asked)
            self._say("caller", "data response", self.phrases["caller"]["answer"])

    def _settle(self) -> None:
        """Read the facts back, mend them if they were misheard, and do what was asked."""
        facts = self._about("facts")
        right, heard = facts.format(**self.values), facts.format(**self._misheard())
        self.values["facts"] = heard
        self._say("agent", "data confirmation", self.phrases["agent"]["confirm"])
        self.values["facts"] = right
        if heard == right:
            self._say("caller", "yes", self.phrases["caller"]["yes"])
        else:
            self._say("caller", "no", self.phrases["caller"]["no"])
            self._say("agent", "response", self.phrases["agent"]["again"])
        self._say("agent", "procedure explanation", self._about("explain"))
        if self.rng.random() < 0.5:
            self._say("agent", "bear with me", self.phrases["agent"]["hold"])
        self._say("agent", "data communication", self._about("done"))
        self._say("caller", "acknowledgement", self.phrases["caller"]["okay"])

    def _close(self) -> None:
        self._say("agent", "open question", self.phrases["agent"]["anything_else"])
        self._say("caller", "thanks", self.phrases["caller"]["nothing_else"])
        self._say("agent", "closing", self.phrases["agent"]["goodbye"])
        self._say("caller", "closing", self.phrases["caller"]["bye"])

    def _draw(self) -> dict[str, str]:
        """A value for every slot that a template may have."""
        values = {name: self.rng.choice(options) for name, options in self.phrases["values"].items()}
        ranges = range(5, 100), range(100, 1000, 10), range(100, 10_000)
        amount = self.rng.choice(self.rng.choice(ranges))
        others = [account for account in self.phrases["values"]["account"] if account != values["account"]]
        opening, closing = self.rng.choice(("eight", "nine", "ten")), self.rng.choice(("four", "five", "six", "seven"))
        other_tasks = [task for task in sorted(self.phrases["tasks"]) if task != self.task]
        return values | {
            "bank": self.rng.choice(self.phrases["banks"]),
            "first_again": self.rng.choice(("", values["first"])),
            "number": " ".join(self.rng.choices(DIGITS, k=4)),
            "amount": in_words(amount),
            "digits": str(amount),
            "from": values["account"],
            "to": self.rng.choice(others),
            "time": f"{values['hour']} {values['half']}".strip(),
            "hour": opening,
            "close": closing,
            "aside": self.phrases["tasks"][self.rng.choice(other_tasks)]["aside"],
            "Name": f"{values['first']} {values['last']}".title(),
        }

    def _misheard(self) -> Mapping[str, str]:
        """The values as the agent repeats them: in some calls one of them is wrong."""
        if self.rng.random() >= MISHEARD:
            return self.values
        slot = _slot(self.rng.choice(self._about("asks")))
        return self.values | {slot: self._draw()[slot]}

    def _spoken(self, asked: str) -> str:
        """The value that answers a question."""
        spoken = self.values[_slot(asked)]
        return f"{spoken} dollars" if asked in ("amount", "due") else spoken

    def _about(self, what: str):
        """What the templates say about the call's task: "wants", "explain", "done", "asks", "facts" or "summary"."""
        return self.phrases["tasks"][self.task][what]

    def _say(self, role: str, act: str, templates: list[str]) -> None:
        self._add(role, act, self._form(templates))

    def _add(self, role: str, act: str, text: str) -> None:
        if role == "caller" and self.rng.random() < HESITATES[self.family]:
            text = self._hesitating(text)
        self.turns.append(Turn(role, " ".join(text.split()), act))

    def _form(self, templates: list[str]) -> str:
        return self._filled(templates[self.place])

    def _filled(self, template: str) -> str:
        while found := CHOICE.search(template):
            chosen = self.rng.choice(found[1].split("|"))
            template = template[: found.start()] + chosen + template[found.end() :]
        return template.format(**self.values)

    def _hesitating(self, text: str) -> str:
        """A word said twice, or a filler before it."""
        words = text.split()
        at = self.rng.randrange(len(words))
        return " ".join([*words[:at], self.rng.choice((words[at], "um", "uh", "you know")), *words[at:]])


def _slot(asked: str) -> str:
    """The value that a question asks for."""
    return {"due": "amount", "phone": "number"}.get(asked, asked)


@cache
def _phrases() -> dict:
    return tomllib.loads(Path(__file__).with_name("phrases.toml").read_text(encoding="utf-8"))


def _act(published: tuple[str, ...]) -> str:
    """ "gridspace_data_question" as "data question"."""
    return published[0].removeprefix("gridspace_").replace("_", " ") if published else "other"
