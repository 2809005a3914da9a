"""What happens to records, from a line to a part of a data set: the steps that every way of running shares (Lecture 8).

``plain`` calls these functions in a loop, ``transforms`` calls them from Beam. Neither decides anything itself, so both
come to the same data set.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from course.pipelines.cleaning import clean, reason_to_drop
from course.pipelines.duplicates import Banding, Dropped
from course.pipelines.records import DeadLetter, Record, canonical_json
from course.pipelines.redaction import redact_record
from course.pipelines.splitting import SHARES, group_of, part_of
from course.pipelines.writing import Counts, Format

EVALUATED = ("validation", "test")
DEAD = "dead-letters.jsonl"


class Settings(BaseModel):
    """What decides about a data set's content.

    Attributes:
        shards: files of each part.
        format: of the files.
        key: of the split.
        validation, test: shares of the groups; the rest is for training.
        near: similarity from which two dialogs are one.
        bands, rows: of the signatures that find them.
        run: words that a test dialog and a training dialog have to share in a row to be alike there.
        contaminated: share of such runs from which a dialog is too much like the training set to be evaluated on.

    Raises:
        ValidationError: a value outside its range, or a field that there is not.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    shards: int = Field(4, ge=1, le=99_999)
    format: Format = "jsonl"
    key: str = "lecture 8"
    validation: float = Field(SHARES["validation"], gt=0, lt=0.5)
    test: float = Field(SHARES["test"], gt=0, lt=0.5)
    near: float = Field(0.7, gt=0, le=1)
    bands: int = Field(32, ge=1)
    rows: int = Field(4, ge=1)
    run: int = Field(8, ge=1)
    contaminated: float = Field(0.8, gt=0)

    @property
    def shares(self) -> dict[str, float]:
        """The share of each part."""
        return {"train": 1 - self.validation - self.test, "validation": self.validation, "test": self.test}

    @property
    def banding(self) -> Banding:
        """How near duplicates are found."""
        return Banding(self.bands, self.rows)

    def part_of(self, record: Record, all_groups: Mapping[str, str]) -> str:
        """The part of a record: its group's; what a model wrote is trained on and never evaluated on."""
        if record.provenance.origin == "generated":
            return "train"
        return part_of(group_of(record, all_groups), self.key, self.shares)


class Counted(NamedTuple):
    """Something that happened ``times`` times in a stage, for a reason; they add up to the manifest's counts."""

    stage: str
    reason: str
    times: int = 1


def counted(thing: Record | DeadLetter | Dropped) -> Counted:
    """What a record that was read, a dead letter or a dropped record adds to the counts."""
    if isinstance(thing, DeadLetter):
        return Counted("dead letters", thing.reason)
    if isinstance(thing, Dropped):
        return Counted(thing.stage, thing.reason)
    return Counted("read", "records")


def prepare(record: Record) -> Iterator[Record | Counted]:
    """One record by itself: cleaned, then left out with a reason or redacted; with what is to be counted."""
    yield counted(record)
    record = clean(record)
    reason = reason_to_drop(record)
    if reason:
        yield Counted("filtered", reason)
        return
    record, replaced = redact_record(record)
    yield from (Counted("redacted", kind, times) for kind, times in replaced.items())
    yield record


def written(part: str, record: Record) -> tuple[Counted, Counted]:
    """What a record that is written adds to the counts."""
    return Counted("written", part), Counted("licence", record.provenance.licence)


def total(counts: Iterable[Counted]) -> Counts:
    """Counts by stage and reason."""
    added: dict[str, Counter] = defaultdict(Counter)
    for stage, reason, times in counts:
        added[stage][reason] += times
    return {stage: dict(reasons) for stage, reasons in added.items()}


def too_alike(share: float, part: str, settings: Settings) -> bool:
    """Whether a record of a part that is evaluated on shares too much with the training set."""
    return part in EVALUATED and share >= settings.contaminated


def dead_letters_bytes(letters: Iterable[DeadLetter]) -> bytes:
    """A line of JSON for each dead letter, sorted by where it was."""
    return "".join(f"{canonical_json(vars(letter))}\n" for letter in sorted(letters)).encode()
