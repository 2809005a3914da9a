"""The leaderboard: what `course.measure.leaderboard` makes of the last record that each person handed in for a lab."""

import gzip
import tempfile
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from course.measure.leaderboard import REFUSED, VERIFIED, Entry, leaderboard
from course.measure.record import Refused, parse
from services.portal.models import Account, MeasurementRecord

VERSION = 1


class Duplicate(Refused):
    """A measurement that is there already."""


def hand_in(account: Account, data: bytes, name: str, now: datetime | None = None) -> MeasurementRecord:
    """Keep a measurement record, if it may count.

    Args:
        account: who hands it in.
        data: the file.
        name: of the file, for the sentence that refuses it.
        now: the time; the clock's if not given.

    Raises:
        Refused: it is no record, has been changed, breaks a rule of measuring, or was handed in before.
    """
    record = parse(data, name)
    entry = _judged([("record", data)], nonce=settings.SET.nonce or None)[record.lab][0]
    if entry.status == REFUSED:
        raise Refused(entry.why)
    if MeasurementRecord.objects.filter(digest=record.digest).exists():
        raise Duplicate("This measurement was handed in already; a record counts once, and for one person.")
    ends = entry.speed_up
    return MeasurementRecord.objects.create(
        owner=account,
        lab=record.lab,
        digest=record.digest,
        handed_in=now or timezone.now(),
        content=gzip.compress(data, mtime=0),
        variant=variant_of(entry),
        ratio=ends.value if ends else None,
        low=ends.low if ends else None,
        high=ends.high if ends else None,
    )


def boards(account) -> list[dict[str, Any]]:
    """The leaderboard of each lab as the views read it, version 1.

    Args:
        account: whose own rows are marked.
    """
    records = list(MeasurementRecord.objects.defer("content").select_related("owner"))
    last = {(one.lab, one.owner_id): one for one in records}
    by_lab = _ranked(tuple(sorted(one.pk for one in last.values())), _state(settings.SET.remeasured))
    by_id = {one.pk: one for one in records}
    return [
        {
            "version": VERSION,
            "lab": lab,
            "rows": [_row(entry, by_id[int(entry.name)], records, account) for entry in entries],
        }
        for lab, entries in by_lab.items()
    ]


def variant_of(entry: Entry) -> str:
    """What counts of a record, in words."""
    batch = f", batch {entry.batch}" if entry.batch > 1 else ""
    return f"{entry.backend}{batch}, {entry.dtype}, {entry.device}" if entry.backend else ""


def _row(entry: Entry, record: MeasurementRecord, records: Iterable[MeasurementRecord], account) -> dict[str, Any]:
    counts = entry.remeasured if entry.status == VERIFIED else entry.speed_up
    history = [one for one in records if (one.lab, one.owner_id) == (record.lab, record.owner_id) and one.ratio]
    return {
        "rank": entry.rank,
        "pseudonym": record.owner.pseudonym,
        "variant": variant_of(entry),
        "ratio": counts.value if counts else None,
        "low": counts.low if counts else None,
        "high": counts.high if counts else None,
        "unit": "times",
        "status": entry.status,
        "why": entry.why,
        "mine": account.pk == record.owner_id,
        "history": [
            {"created": one.handed_in.isoformat(), "ratio": one.ratio, "low": one.low, "high": one.high}
            for one in history
        ],
    }


def _state(folder: Path | None) -> tuple[tuple[str, int, int], ...]:
    """What tells that the grader's own records are others than before."""
    files = sorted(folder.rglob("*.json")) if folder and folder.is_dir() else []
    stats = [(str(path), path.stat()) for path in files]
    return tuple((path, found.st_mtime_ns, found.st_size) for path, found in stats)


@lru_cache(maxsize=4)
def _ranked(keys: tuple[int, ...], state: tuple) -> dict[str, list[Entry]]:
    """Entries by lab, best first, without the refused ones; computed again where a record or the grader's changed.

    Args:
        keys: of the records that count.
        state: of the folder of the grader's own records.
    """
    contents = MeasurementRecord.objects.filter(pk__in=keys).values_list("pk", "content")
    files = [(str(key), gzip.decompress(content)) for key, content in contents]
    judged = _judged(files, settings.SET.remeasured if state else None) if files else {}
    return {lab: kept for lab, entries in judged.items() if (kept := [one for one in entries if one.status != REFUSED])}


def _judged(
    files: Iterable[tuple[str, bytes]], remeasured: Path | None = None, nonce: str | None = None
) -> dict[str, tuple[Entry, ...]]:
    with tempfile.TemporaryDirectory(prefix="portal-") as folder:
        for name, data in files:
            (Path(folder) / f"{name}.json").write_bytes(data)
        return leaderboard(Path(folder), remeasured, nonce=nonce).labs
