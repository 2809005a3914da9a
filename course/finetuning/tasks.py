"""The task of Lecture 9: which dialog act is this turn of a bank call? Examples, splits, and a word for each act.

An act is what a turn does, such as asking for data or saying goodbye. A language model answers with a word, so each act
gets one that its tokenizer writes as a single token.

Source of the acts: M. Wu et al., HarperValleyBank: A Domain-Specific Spoken Dialog Corpus, 2020, section 3.
"""

import random
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from course.errors import CourseError
from course.language.calls import Call

WORDS = {
    "greeting": "greeting",
    "problem description": "problem",
    "acknowledgement": "acknowledgement",
    "data question": "question",
    "data response": "answer",
    "data confirmation": "confirmation",
    "filler disfluency": "hesitation",
    "yes": "yes",
    "no": "no",
    "response": "apology",
    "procedure explanation": "explanation",
    "bear with me": "wait",
    "data communication": "information",
    "open question": "offer",
    "thanks": "thanks",
    "closing": "goodbye",
}
PROMPT = "{text}\nDialog act:"


class Example(NamedTuple):
    """A turn and its act.

    Attributes:
        text: who speaks and what, for example "caller: yes that's right".
        act: one of those in :data:`WORDS`.
        family: the way of speaking of its call.
        group: family and act: turns that were made from one template, and stand or fall together.
    """

    text: str
    act: str
    family: str
    group: str

    @property
    def prompt(self) -> str:
        """The text up to where the word for the act is to follow."""
        return PROMPT.format(text=self.text)


def act_examples(calls: Iterable[Call]) -> tuple[Example, ...]:
    """Every different turn of the calls, in their order; a turn that was said before is left out.

    Raises:
        CourseError: an act without a word.
    """
    found = {}
    for call in calls:
        for turn in call.turns:
            if turn.dialog_act not in WORDS:
                raise CourseError(f"No word stands for the dialog act {turn.dialog_act!r}; there are {list(WORDS)}.")
            text = f"{turn.speaker_role}: {turn.text}"
            found.setdefault(text, Example(text, turn.dialog_act, call.family, f"{call.family}, {turn.dialog_act}"))
    return tuple(found.values())


def draw(examples: Sequence[Example], n: int, seed: int = 0) -> tuple[Example, ...]:
    """``n`` of the examples at random, without repetition.

    Raises:
        ValueError: there are not so many.
    """
    if not 0 <= n <= len(examples):
        raise ValueError(f"From 0 to {len(examples)} examples can be drawn, and {n} were asked for.")
    return tuple(random.Random(seed).sample(list(examples), n))


def split_by_family(
    examples: Sequence[Example], held_out: Iterable[str]
) -> tuple[tuple[Example, ...], tuple[Example, ...]]:
    """The examples of all other families, and those of the families held out.

    Raises:
        ValueError: a family that no example has.
    """
    held_out = set(held_out)
    if unknown := held_out - {example.family for example in examples}:
        raise ValueError(f"No example is of the family {sorted(unknown)[0]!r}.")
    kept = tuple(example for example in examples if example.family not in held_out)
    return kept, tuple(example for example in examples if example.family in held_out)


def split_at_random(
    examples: Sequence[Example], share: float, seed: int = 0
) -> tuple[tuple[Example, ...], tuple[Example, ...]]:
    """Training and test examples without regard to their families: the split that flatters.

    Args:
        examples: any.
        share: of the examples to hold out, 0 to 1.
        seed: of the choice.

    Raises:
        ValueError: a share outside 0 to 1.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"A share from 0 to 1 was expected and {share} came.")
    mixed = draw(examples, len(examples), seed)
    n_test = round(share * len(mixed))
    return mixed[n_test:], mixed[:n_test]
