"""A leaderboard of handed-in measurement records (Lab 10): what was measured again, what is only said, what is refused.

A record is made on a machine that nobody else has seen, so that its numbers are *self-reported*, however well it is
formed. It is *verified*, and has a rank, once the grader has measured the same code, variant and work, and the two
intervals of the speed-up overlap. The rank is that of the grader's own number.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from course.bench.record import Strict
from course.errors import CourseError, shown
from course.measure import statistics
from course.measure.record import Record, Refused, Variant, accept, read
from course.measure.statistics import Estimate
from course.measure.verify import holds, verify

VERIFIED, SELF_REPORTED, REFUSED = "verified", "self-reported", "refused"
SAME_WORK = ("model", "prompt", "generated", "threads", "shards")  # of the settings, beside scenario and baseline
PHASE = "decode"  # what is ranked: the time that a further token takes
DASH = "–"


class Ends(Strict):
    """A speed-up with its 95 % interval."""

    value: float
    low: float
    high: float


class Entry(Strict):
    """One handed-in record.

    Attributes:
        name: of its file, below the folder, without the ending.
        status: "verified", "self-reported" or "refused".
        why: a sentence: why it is refused or has no rank; empty for a verified one.
        rank: from 1 among the verified ones of the lab; None for all others. Equal numbers share a rank.
        backend, batch, dtype, device: of the variant that counts, the fastest of the record; empty or 0 if refused.
        speed_up: of a decode step over the record's baseline, as it was handed in.
        remeasured: the same, by the grader.
        digest: of the record; empty where it could not be read.
    """

    name: str
    lab: str
    status: Literal["verified", "self-reported", "refused"]
    why: str = ""
    rank: int | None = None
    backend: str = ""
    batch: int = 0
    dtype: str = ""
    device: str = ""
    speed_up: Ends | None = None
    remeasured: Ends | None = None
    digest: str = ""


class Leaderboard(Strict):
    """Entries by lab, ranked ones first; ``unused`` says which of the grader's records could not be used, and why."""

    schema_version: Literal[1] = 1
    created: AwareDatetime
    labs: dict[str, tuple[Entry, ...]]
    unused: tuple[str, ...] = ()


@dataclass(frozen=True)
class Remeasurement:
    """A variant that the grader measured, with its speed-up."""

    record: Record
    variant: Variant
    estimate: Estimate


def leaderboard(
    folder: Path, remeasured: Path | None = None, lab: str = "", nonce: str | None = None, now: datetime | None = None
) -> Leaderboard:
    """Read all records below a folder, judge each, and rank the verified ones of each lab.

    Args:
        folder: with handed-in records, ``*.json``, at any depth.
        remeasured: with the grader's own records.
        lab: the lab that all have to be of; "" takes each record for the lab that it names.
        nonce: what was given out; None for any.
        now: the reader's time.

    Raises:
        CourseError: a folder is missing, or there is no record in the first one.
    """
    files = _files(folder)
    if not files:
        raise CourseError(f"Measurement records (*.json) were expected below {shown(folder)}, and there is none.")
    own, unused = _remeasurements(_files(remeasured), now) if remeasured else ([], ())
    entries = [_entry(path, folder, own, lab, nonce, now) for path in files]
    labs: dict[str, list[Entry]] = {}
    for entry in _without_copies(entries):
        labs.setdefault(entry.lab, []).append(entry)
    ranked = {name: tuple(_ranked(labs[name])) for name in sorted(labs)}
    return Leaderboard(created=now or datetime.now(UTC), labs=ranked, unused=unused)


def show_leaderboard(found: Leaderboard, console: Console) -> None:
    """Print a table for each lab, and below it why entries have no rank."""
    for lab, entries in found.labs.items():
        table = Table(title=f"Leaderboard: {lab or 'no lab'}")
        for place, column in enumerate(("Rank", "Record", "Status", "Variant", "Measured again", "Handed in")):
            table.add_column(column, justify="right" if place in (0, 4, 5) else "left")
        for entry in entries:
            batch = f", batch {entry.batch}" if entry.batch > 1 else ""
            variant = f"{entry.backend}{batch}, {entry.dtype}, {entry.device}" if entry.backend else DASH
            cells = (entry.name, entry.status, variant, _words(entry.remeasured), _words(entry.speed_up))
            table.add_row(DASH if entry.rank is None else str(entry.rank), *map(escape, cells))
        console.print(table)
        for entry in entries:
            if entry.why:
                console.print(f"{escape(entry.name)}: {escape(entry.why)}", soft_wrap=True, highlight=False)
    for sentence in found.unused:
        console.print(f"[yellow]![/] {escape(sentence)}", soft_wrap=True, highlight=False)


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise CourseError(f"A folder with measurement records was expected at {shown(folder)}, and there is none.")
    return sorted(path for path in folder.rglob("*.json") if path.is_file() and not path.is_symlink())


def _remeasurements(files: Sequence[Path], now: datetime | None) -> tuple[list[Remeasurement], tuple[str, ...]]:
    """Every variant with a speed-up in the grader's records, and a sentence for each record that cannot be used."""
    found, unused = [], []
    for path in files:
        try:
            record = read(path)
            accept(record, record.lab, None, now)
            _require_rules(record)
        except Refused as error:
            unused.append(f"{shown(path)} is not used: {error}")
            continue
        found += [Remeasurement(record, variant, estimate) for variant, estimate in _speed_ups(record)]
    return found, tuple(unused)


def _entry(
    path: Path, folder: Path, own: Sequence[Remeasurement], lab: str, nonce: str | None, now: datetime | None
) -> Entry:
    """What becomes of one file."""
    name = str(path.relative_to(folder).with_suffix(""))
    try:
        record = read(path)
    except Refused as error:
        return Entry(name=name, lab=lab, status=REFUSED, why=str(error))
    wanted = lab or record.lab
    try:
        if not wanted:
            raise Refused("The record names no lab; measure with --lab.")
        accept(record, wanted, nonce, now)
        _require_rules(record)
    except Refused as error:
        return Entry(name=name, lab=wanted, status=REFUSED, why=str(error), digest=record.digest)
    return _judged(Entry(name=name, lab=wanted, status=SELF_REPORTED, digest=record.digest), record, own)


def _require_rules(record: Record) -> None:
    """Raise Refused if a rule of measuring is broken."""
    findings = verify(record)
    if not holds(findings):
        broken = [finding for finding in findings if finding.held is False]
        rules = ", ".join(finding.rule.name for finding in broken)
        raise Refused(f"It breaks the rules: {rules}. {broken[0].sentences[0][:1].upper()}{broken[0].sentences[0][1:]}")


def _judged(entry: Entry, record: Record, own: Sequence[Remeasurement]) -> Entry:
    """The entry of a record that may count, with its fastest variant, and with what the grader measured of it."""
    best = max(_speed_ups(record), key=lambda one: one[1].value, default=None)
    if best is None:
        return _with(entry, why="No variant has a speed-up that its samples carry.")
    variant, estimate = best
    entry = _with(
        entry,
        backend=variant.backend,
        batch=variant.batch,
        dtype=variant.dtype,
        device=record.device.kind,
        speed_up=_ends(estimate),
    )
    if record.device.kind == "fake":
        return _with(entry, why="It was measured on the made-up device.")
    fitting = [one for one in own if _same(record, variant, one)]
    if not fitting:
        return _with(entry, why="The grader has not measured this code, variant and work on such a device.")
    latest = max(fitting, key=lambda one: one.record.created)
    again = _ends(latest.estimate)
    entry = _with(entry, remeasured=again)
    if again.low > entry.speed_up.high or again.high < entry.speed_up.low:
        return _with(entry, why=f"The grader measured {_words(again)}, and {_words(entry.speed_up)} was handed in.")
    return _with(entry, status=VERIFIED)


def _speed_ups(record: Record) -> list[tuple[Variant, Estimate]]:
    """The variants whose decode step has a speed-up that the samples carry."""
    others = [one for one in record.variants if one.parity and one.parity.reference != one.name]
    found = [(one, statistics.speed_up(record, one.name, PHASE)) for one in others]
    return [(variant, estimate) for variant, estimate in found if estimate.value is not None]


def _same(record: Record, variant: Variant, other: Remeasurement) -> bool:
    """Whether the grader measured the same code on such a device, against the same baseline, at equal work."""

    def told(of: Record, one: Variant) -> tuple:
        baseline = of.variant(one.parity.reference)
        settings = tuple(str(of.settings.get(name)) for name in SAME_WORK)
        own = (one.backend, one.batch, one.dtype, one.code, baseline.backend, baseline.dtype, baseline.code)
        return (of.lab, of.scenario, of.device.kind, *own, *settings)

    return told(record, variant) == told(other.record, other.variant)


def _without_copies(entries: Iterable[Entry]) -> list[Entry]:
    """No rank for a measurement that came more than once: whose it is cannot be told."""
    entries = list(entries)
    holders: Mapping[str, list[str]] = {entry.digest: [] for entry in entries}
    for entry in entries:
        holders[entry.digest].append(entry.name)
    kept = []
    for entry in entries:
        others = [name for name in holders[entry.digest] if name != entry.name]
        if entry.digest and others and entry.status != REFUSED:
            why = f"The same measurement was handed in as {', '.join(others)}."
            entry = _with(entry, status=SELF_REPORTED, why=why)
        kept.append(entry)
    return kept


def _ranked(entries: list[Entry]) -> list[Entry]:
    """Verified entries with ranks by the grader's number; then the self-reported by their own; then the rest."""
    verified = sorted((one for one in entries if one.status == VERIFIED), key=lambda one: -one.remeasured.value)
    values = [one.remeasured.value for one in verified]
    ranked = [_with(one, rank=values.index(one.remeasured.value) + 1) for one in verified]
    said = [one for one in entries if one.status == SELF_REPORTED]
    said.sort(key=lambda one: (-(one.speed_up.value if one.speed_up else 0.0), one.name))
    return [*ranked, *said, *(one for one in entries if one.status == REFUSED)]


def _with(entry: Entry, **fields) -> Entry:
    return entry.model_copy(update=fields)


def _ends(estimate: Estimate) -> Ends:
    return Ends(value=estimate.value, low=estimate.interval.low, high=estimate.interval.high)


def _words(ends: Ends | None) -> str:
    return DASH if ends is None else f"{ends.value:.3g} × ({ends.low:.3g} to {ends.high:.3g})"
