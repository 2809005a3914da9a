"""The ledger of a class, ``ledger.jsonl``: a line for each result that was entered in the gradebook, never changed.

A line says what was entered, what the score was before, and why it was graded again.
"""

from datetime import UTC, datetime
from pathlib import Path

from pydantic import Field, ValidationError

from autograder.result import Result, Status, Strict
from course.storage import append_line

SHOWN_DIGITS = 12
WHY = {
    "release": "lab changed",
    "checks": "checks changed",
    "policy": "limits changed",
    "environment": "environment changed",
    "supplies": "environment changed",
}
FIRST, RESUBMITTED, RESTORED, UNKNOWN = "first result", "new submission", "entered again", "an earlier grader"


class LedgerEntry(Strict):
    """What was entered in the gradebook for a student and a lab, and why."""

    time: str
    handed_in: str | None = Field(None, description="when the student handed in, ISO 8601, UTC, where it is known")
    lab: str
    student: str
    number: int = Field(1, description="the how-manieth result that was entered for this student and lab")
    key: str
    submission: str | None
    status: Status
    score: int
    max_score: int
    seconds: float
    scores: dict[str, float | None] = Field({}, description="what was entered for each graded cell; None: by a person")
    parts: dict[str, str] = Field({}, description="the beginnings of the digests that the key is made of")
    before: int | None = Field(None, description="the score of the entry before this one; None if it is the first")
    why: str = ""

    @classmethod
    def of(
        cls,
        result: Result,
        scores: dict[str, float | None],
        handed_in: datetime | None,
        last: "LedgerEntry | None",
        number: int,
    ) -> "LedgerEntry":
        """The entry of a result that takes the place of the entry ``last`` of the same student and lab."""
        parts = {name: part[:SHOWN_DIGITS] for name, part in result.parts.items()}
        return cls(
            time=datetime.now(UTC).isoformat(timespec="seconds"),
            handed_in=handed_in.replace(tzinfo=UTC).isoformat(timespec="seconds") if handed_in else None,
            **result.model_dump(
                include={"lab", "student", "key", "submission", "status", "score", "max_score", "seconds"}
            ),
            number=number,
            scores=scores,
            parts=parts,
            before=last.score if last else None,
            why=_why(last, result, parts),
        )

    @property
    def changed(self) -> bool:
        """Whether the score is another than before."""
        return self.before is not None and self.before != self.score


class Ledger:
    """The entries of a class; ``latest`` has the last of each lab and student, ``torn`` the numbers of bad lines."""

    def __init__(self, path: Path):
        self.path = path
        self.latest: dict[tuple[str, str], LedgerEntry] = {}
        self.torn: list[int] = []
        *lines, rest = path.read_bytes().split(b"\n") if path.exists() else [b""]
        for number, line in enumerate(lines, start=1):
            try:
                entry = LedgerEntry.model_validate_json(line)
            except ValidationError:
                self.torn.append(number)
            else:
                self.latest[entry.lab, entry.student] = entry
        # What follows the last line feed was being written when the machine stopped; the next entry replaces it.
        self.torn += [len(lines) + 1] if rest else []

    def has(self, result: Result) -> bool:
        """Whether the result is the one that was last entered for its student and lab."""
        last = self.latest.get((result.lab, result.student))
        return last is not None and last.key == result.key

    def add(self, entry: LedgerEntry) -> None:
        """Append a line for what was entered, on disk when this returns."""
        append_line(self.path, entry.model_dump_json().encode())
        self.latest[entry.lab, entry.student] = entry


def _why(last: LedgerEntry | None, result: Result, parts: dict[str, str]) -> str:
    """What the result is a function of and has changed since the last entry, in words."""
    if last is None:
        return FIRST
    reasons = [RESUBMITTED] if last.submission != result.submission else []
    if last.parts:
        reasons += [WHY[name] for name in WHY if last.parts.get(name) != parts.get(name)]
    elif last.key != result.key and not reasons:
        reasons = [UNKNOWN]
    return ", ".join(dict.fromkeys(reasons)) or RESTORED
