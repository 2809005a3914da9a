"""What the ladder tests on: four sets of recordings that no system has learned from, in three sizes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

from course.channels import CONDITIONS
from course.data import CORPORA
from course.recordings import (
    DIGITS,
    N_READINGS,
    N_TAKES,
    N_TEST_PROMPTS,
    N_TEST_TAKES,
    SPEAKERS,
    Recording,
    digits,
    prompts,
    readings,
)

# What `course up --quick` measures, what every other build does, and what `course ladder run --full` does.
QUICK, BUILD, FULL = SIZES = ("quick", "build", "full")
CLEAN = next(iter(CONDITIONS))
ALL = "all"  # the fold of sets that are not split by speaker


@dataclass(frozen=True)
class Amounts:
    """How many recordings a cell rests on; the smaller number is always the first of the larger.

    Attributes:
        full: in a full run.
        clean, other: in a build, clean and in the other conditions.
        slow: in a build, for a system that needs long for each; it meets clean recordings only.
        quick: in a quick run, for every system and condition; a slow one meets clean recordings only.
    """

    full: int
    clean: int
    other: int
    slow: int
    quick: int

    def of(self, size: str, condition: str, slow: bool = False) -> int:
        """The number for a cell; 0 where it is not measured in this size."""
        if size == FULL:
            return self.full
        if size == QUICK:
            return 0 if slow and condition != CLEAN else self.quick
        if condition == CLEAN:
            return self.slow if slow else self.clean
        return 0 if slow else self.other


@dataclass(frozen=True)
class HeldOut:
    """A set of recordings to test on.

    Attributes:
        id: short name, for files and commands.
        title: for tables.
        corpus: its name in the registry.
        folds: parts that each need a system of their own: the speakers who are held out in turn, or one for all.
        amounts: how many recordings are used: takes of each digit, or the first so many.
        select: fold and amount to recordings.
    """

    id: str
    title: str
    corpus: str
    folds: tuple[str, ...]
    amounts: Amounts
    select: Callable[[str, int], Sequence[Recording]]

    def folds_in(self, size: str) -> tuple[str, ...]:
        """The folds that are tested in a size: all, but for a quick run, which has time for one."""
        return self.folds[:1] if size == QUICK else self.folds

    def train_speakers(self, fold: str) -> tuple[str, ...]:
        """Speakers of digits whom a system for this fold may learn from."""
        return tuple(speaker for speaker in SPEAKERS if speaker != fold)


def _speakers_digits(fold: str, n_takes: int) -> tuple[Recording, ...]:
    return digits(SPEAKERS if fold == ALL else (fold,), range(n_takes))


SEEN = HeldOut(
    id="digits-seen",
    title="Digits, known speakers",
    corpus="fsdd",
    folds=(ALL,),
    amounts=Amounts(full=N_TEST_TAKES, clean=N_TEST_TAKES, other=2, slow=1, quick=1),
    select=_speakers_digits,
)
UNSEEN = HeldOut(
    id="digits-unseen",
    title="Digits, new speaker",
    corpus="fsdd",
    folds=SPEAKERS,
    amounts=Amounts(full=N_TAKES, clean=N_TEST_TAKES, other=2, slow=1, quick=1),
    select=_speakers_digits,
)
PROMPTS = HeldOut(
    id="prompts",
    title="Telephone prompts",
    corpus="asterisk-en",
    folds=(ALL,),
    amounts=Amounts(full=N_TEST_PROMPTS, clean=N_TEST_PROMPTS, other=16, slow=24, quick=3),
    select=lambda fold, n: prompts(n),
)
READINGS = HeldOut(
    id="readings",
    title="Sentences read aloud",
    corpus="librispeech-test-other",
    folds=(ALL,),
    amounts=Amounts(full=N_READINGS, clean=N_READINGS, other=24, slow=8, quick=2),
    select=lambda fold, n: readings(n),
)
HELD_OUT = {heldout.id: heldout for heldout in (SEEN, UNSEEN, PROMPTS, READINGS)}


def digit_training(heldout: HeldOut, fold: str) -> tuple[Recording, ...]:
    """What a system may learn digits from: takes 5 to 49 of everybody, or all takes of the speakers not held out."""
    if heldout is SEEN:
        return digits(takes=range(N_TEST_TAKES, N_TAKES))
    return digits(heldout.train_speakers(fold))


def recording_names(heldout: HeldOut, n: int, size: str) -> list[str]:
    """What names the tested recordings, found without reading any.

    Args:
        heldout: the set.
        n: how many; see :class:`Amounts`.
        size: of :data:`SIZES`.
    """
    if heldout.corpus == "fsdd":
        speakers = SPEAKERS if heldout.folds == (ALL,) else heldout.folds_in(size)
        return [f"{DIGITS.index(word)}_{speaker}_{take}" for speaker, word, take in product(speakers, DIGITS, range(n))]
    return [f"the first {n} of {heldout.corpus}"]


def is_recorded(corpus: str) -> bool:
    """Whether the corpus is on this machine, so that its recordings are a person's."""
    return CORPORA.locate(corpus, next(iter(CORPORA[corpus].hashes))) is not None
