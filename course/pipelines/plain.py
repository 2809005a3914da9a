"""The pipeline as a loop: no Beam, one process, everything in memory (Lecture 8).

It is the oracle of the tests (every runner has to write the same bytes) and what the overhead of an engine is measured
against. For a corpus that fits into memory it is also the right tool.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from course.pipelines.duplicates import without_duplicates
from course.pipelines.files import join, open_for_reading, write_whole
from course.pipelines.records import DeadLetter, Record, parse_file
from course.pipelines.splitting import contamination, groups
from course.pipelines.stages import (
    DEAD,
    EVALUATED,
    Counted,
    Settings,
    counted,
    dead_letters_bytes,
    prepare,
    too_alike,
    total,
    written,
)
from course.pipelines.writing import Manifest, Shard, finish, manifest_of, shard_number, write_shard


def make_data_set(files: Sequence[str], output: str, settings: Settings) -> Manifest:
    """Read files, write a data set, and return its manifest."""
    read = [thing for file in files for thing in read_file(file)]
    dead = [thing for thing in read if isinstance(thing, DeadLetter)]
    counts = [counted(letter) for letter in dead]
    parts = parted((thing for thing in read if isinstance(thing, Record)), settings, counts)
    shards = write_parts(parts, output, settings)
    write_whole(join(output, DEAD), dead_letters_bytes(dead))
    return finished(output, counts, shards, settings)


def read_file(file: str) -> list[Record | DeadLetter]:
    """The records and dead letters of one file; the latter name it without its folder."""
    with open_for_reading(file) as opened:
        return list(parse_file(opened, Path(file).name))


def parted(records: Iterable[Record], settings: Settings, counts: list[Counted]) -> dict[str, list[Record]]:
    """The records that go into each part; what happened on the way is appended to ``counts``."""
    prepared = [thing for record in records for thing in prepare(record)]
    counts += [thing for thing in prepared if isinstance(thing, Counted)]
    fit = [thing for thing in prepared if isinstance(thing, Record)]
    unique, dropped = without_duplicates(fit, settings.near, settings.banding)
    counts += [counted(one) for one in dropped]
    all_groups, parts = groups(unique), {part: [] for part in settings.shares}
    for record in unique:
        parts[settings.part_of(record, all_groups)].append(record)
    for part in EVALUATED:
        shares = contamination(parts["train"], parts[part], settings.run)
        alike = {name for name, share in shares.items() if too_alike(share, part, settings)}
        counts += [Counted("contaminated", part) for _ in alike]
        parts[part] = [record for record in parts[part] if record.id not in alike]
    counts += [one for part, inside in parts.items() for record in inside for one in written(part, record)]
    return parts


def write_parts(parts: dict[str, list[Record]], output: str, settings: Settings) -> list[Shard]:
    """Write the shards that have records."""
    shards: dict[tuple[str, int], list[Record]] = defaultdict(list)
    for part, records in parts.items():
        for record in records:
            shards[part, shard_number(record.id, settings.shards)].append(record)
    return [
        write_shard(output, part, number, settings.shards, records, settings.format)
        for (part, number), records in shards.items()
    ]


def finished(output: str, counts: Iterable[Counted], shards: Iterable[Shard], settings: Settings) -> Manifest:
    """Write the data card and the manifest, which ends a run."""
    added = total(counts)
    licences = added.pop("licence", {})
    manifest = manifest_of(added, shards, licences, settings.format, settings.model_dump(mode="json"))
    finish(output, manifest)
    return manifest
