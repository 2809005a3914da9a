"""Shards, a manifest that proves them, and a data card for people (Lecture 8).

A shard holds the records whose ids hash to its number, sorted by id, in the one form that JSON, Parquet or a tar
archive of FLAC has for them: so its bytes depend on the records alone, not on the order in which they came, on the
number of workers, or on the runner. Each is written under another name and renamed. The manifest is written last: a
folder without one is a run that did not end, and a run may be repeated as often as one likes.

Neither manifest nor shards say when they were made: that would make every run another data set.

Sources: T. Gebru et al., Datasheets for Datasets, 2021; the layout of the FLAC shards is that of WebDataset.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from course.errors import CourseError
from course.pipelines.files import delete, exists, join, names_in, read_whole, write_whole
from course.pipelines.records import SCHEMA_VERSION, Record, canonical_json
from course.pipelines.splitting import SHARES

MANIFEST, CARD = "manifest.json", "README.md"
CREATED_BY = "course pipelines 1"
PART = "shards"  # folder of the shards

Counts = dict[str, dict[str, int]]


class Strict(BaseModel):
    """A part of a manifest: fixed fields, never changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Shard(Strict):
    """A file of the data set.

    Attributes:
        file: relative to the data set's folder.
        part: "train", "validation" or "test".
        records: how many it holds.
        size: bytes.
        sha256: of its bytes, in hexadecimal.
    """

    file: str
    part: str
    records: int = Field(ge=0)
    size: int = Field(ge=0)
    sha256: str


class Manifest(Strict):
    """All that is known about a data set, and nothing about the run that made it.

    Attributes:
        schema_version: of the records.
        created_by: the programme and its version.
        format: of the shards.
        licences: of the sources, sorted.
        settings: what decides about the content: thresholds, the key of the split.
        counts: by stage ("read", "dead letters", "filtered", "duplicates", "redacted", "written") and reason.
        shards: sorted by name.
    """

    schema_version: int
    created_by: str
    format: str
    licences: tuple[str, ...]
    settings: dict[str, str | int | float]
    counts: Counts
    shards: tuple[Shard, ...]

    @property
    def text(self) -> str:
        """As JSON; equal manifests have equal texts."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, ensure_ascii=False, indent=1) + "\n"

    def count(self, stage: str) -> int:
        """How many a stage counted, all reasons together."""
        return sum(self.counts.get(stage, {}).values())


def shard_number(record_id: str, n_shards: int) -> int:
    """The shard that a record belongs to, 0 to ``n_shards - 1``, by its id alone.

    Raises:
        ValueError: fewer than one shard.
    """
    if n_shards < 1:
        raise ValueError(f"At least one shard was expected and {n_shards} came.")
    digest = hashlib.blake2b(record_id.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % n_shards


def jsonl_bytes(records: Iterable[Record]) -> bytes:
    """A line for each record, sorted by id."""
    return "".join(f"{record.line}\n" for record in _sorted(records)).encode()


def parquet_bytes(records: Iterable[Record]) -> bytes:
    """A row for each record, sorted by id; the turns are a list of structures, the provenance is JSON."""
    import pyarrow
    import pyarrow.parquet

    turn = pyarrow.struct([(name, pyarrow.string()) for name in ("role", "speaker", "text")])
    strings = [(name, pyarrow.string()) for name in ("id", "kind", "conversation", "task", "provenance")]
    schema = pyarrow.schema([("schema_version", pyarrow.int32()), *strings, ("turns", pyarrow.list_(turn))])
    rows = [record.model_dump(mode="json") for record in _sorted(records)]
    for row in rows:
        row["provenance"] = canonical_json(row["provenance"])
    rows = [{name: row[name] for name in schema.names} for row in rows]
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows, schema=schema), buffer, compression="zstd")
    return buffer.getvalue()


def read_parquet(content: bytes) -> tuple[Record, ...]:
    """The records of a Parquet shard."""
    import pyarrow.parquet

    rows = pyarrow.parquet.read_table(io.BytesIO(content)).to_pylist()
    return tuple(
        Record.model_validate_json(json.dumps(row | {"provenance": json.loads(row["provenance"])})) for row in rows
    )


def read_jsonl(content: bytes) -> tuple[Record, ...]:
    """The records of a JSONL shard."""
    return tuple(Record.model_validate_json(line) for line in content.splitlines())


def flac_bytes(signal, sample_rate: int) -> bytes:
    """Sound as FLAC of 16 bits.

    Args:
        signal: ``(n_samples,)`` float in [-1, 1], or int16, of which every sample is kept.
        sample_rate: in Hz.
    """
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, signal, sample_rate, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()


def recordings_bytes(recordings: Iterable) -> bytes:
    """A tar archive with NAME.flac and NAME.json for each recording, sorted by name; no dates, no owners.

    Args:
        recordings: as :class:`course.recordings.Recording`.

    Raises:
        ValueError: two recordings of one name.
    """
    buffer, seen = io.BytesIO(), set()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for recording in sorted(recordings, key=lambda recording: recording.name):
            name = recording.name.replace("/", "-").replace(" ", "-")
            if name in seen:
                raise ValueError(f"Recordings with different names were expected and two are called {name!r}.")
            seen.add(name)
            about = {field: getattr(recording, field) for field in ("text", "speaker", "origin", "recorded")}
            _add(archive, f"{name}.flac", flac_bytes(recording.signal, recording.sample_rate))
            _add(archive, f"{name}.json", canonical_json(about | {"sample_rate": recording.sample_rate}).encode())
    return buffer.getvalue()


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)  # modified at 0, owned by 0, mode 644
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


def _sorted(records: Iterable[Record]) -> list[Record]:
    return sorted(records, key=lambda record: record.id)


Format = Literal["jsonl", "parquet"]
FORMATS: dict[str, Callable[[Iterable[Record]], bytes]] = {"jsonl": jsonl_bytes, "parquet": parquet_bytes}
READERS: dict[str, Callable[[bytes], tuple[Record, ...]]] = {"jsonl": read_jsonl, "parquet": read_parquet}


def write_shard(folder: str, part: str, number: int, n_shards: int, records: Iterable[Record], form: str) -> Shard:
    """Write one shard, whole or not at all; the same records give the same bytes."""
    records = list(records)
    file = f"{PART}/{part}-{number:05}-of-{n_shards:05}.{form}"
    return _written(folder, file, part, len(records), FORMATS[form](records))


def write_recordings(folder: Path | str, parts: Mapping[str, Sequence], n_shards: int) -> tuple[Shard, ...]:
    """Recordings of each part as tar archives of FLAC; a shard without recordings is not written.

    Args:
        folder: of the data set.
        parts: name of each part to its recordings.
        n_shards: of each part.
    """
    shards = []
    for part, recordings in parts.items():
        for number in range(n_shards):
            inside = [one for one in recordings if shard_number(one.name, n_shards) == number]
            if inside:
                shards.append(write_recordings_shard(str(folder), part, number, n_shards, inside))
    return tuple(shards)


def write_recordings_shard(folder: str, part: str, number: int, n_shards: int, recordings: Iterable) -> Shard:
    """Write one archive of recordings, whole or not at all; the same recordings give the same bytes."""
    recordings = list(recordings)
    file = f"{PART}/{part}-{number:05}-of-{n_shards:05}.tar"
    return _written(folder, file, part, len(recordings), recordings_bytes(recordings))


def _written(folder: str, file: str, part: str, n_records: int, content: bytes) -> Shard:
    write_whole(join(folder, file), content)
    return Shard(file=file, part=part, records=n_records, size=len(content), sha256=hashlib.sha256(content).hexdigest())


def finish(folder: str, manifest: Manifest, card: str | None = None) -> None:
    """Delete shards that the manifest does not name, write the data card, and last the manifest.

    Args:
        folder: of the data set.
        manifest: its manifest.
        card: for people; that of :func:`data_card` if there is none.
    """
    named = {shard.file for shard in manifest.shards}
    for name in names_in(join(folder, PART)):
        if f"{PART}/{name}" not in named:
            delete(join(folder, PART, name))
    write_whole(join(folder, CARD), (data_card(manifest) if card is None else card).encode())
    write_whole(join(folder, MANIFEST), manifest.text.encode())


def read_manifest(folder: str | Path) -> Manifest:
    """The manifest of a data set.

    Raises:
        CourseError: there is none, or it does not have the form that it should have.
    """
    path = join(str(folder), MANIFEST)
    if not exists(path):
        raise CourseError(
            f"{path} was expected and is not there: the run that writes it last has not ended; run it again."
        )
    try:
        return Manifest.model_validate_json(read_whole(path))
    except ValidationError as error:
        raise CourseError(f"{path} is no manifest of this version: {error.errors()[0]['msg']}.") from error


def verify(folder: str | Path) -> Manifest:
    """The manifest of a data set whose every shard is there with the right bytes, and no other.

    Raises:
        CourseError: the manifest or a shard is missing, a shard differs, or one is not named.
    """
    folder, manifest = str(folder), read_manifest(folder)
    for shard in manifest.shards:
        path = join(folder, shard.file)
        if not exists(path) or hashlib.sha256(read_whole(path)).hexdigest() != shard.sha256:
            raise CourseError(f"{path} is missing or is not the file that the manifest names; run the pipeline again.")
    named = {shard.file for shard in manifest.shards}
    if strange := [name for name in names_in(join(folder, PART)) if f"{PART}/{name}" not in named]:
        raise CourseError(f"{join(folder, PART, strange[0])} is not named by the manifest; run the pipeline again.")
    return manifest


def read_part(folder: str | Path, part: str) -> tuple[Record, ...]:
    """The records of one part of a data set, sorted by id; a part that no group was drawn for has none.

    Raises:
        CourseError: as :func:`verify`, or there is no such part.
    """
    manifest = verify(folder)
    if manifest.format not in READERS:
        raise CourseError(
            f"{folder} holds {manifest.format}, and records were expected; try course.pipelines.speech_sets."
        )
    shards = [shard for shard in manifest.shards if shard.part == part]
    if not shards and part not in SHARES:
        raise CourseError(f"No part is called {part!r}; there are {', '.join(SHARES)}.")
    read = READERS[manifest.format]
    return tuple(_sorted(record for shard in shards for record in read(read_whole(join(str(folder), shard.file)))))


def data_card(manifest: Manifest) -> str:
    """What a person has to know before using the data, in Markdown: from the manifest, so that it can't go stale."""
    written, lines = manifest.counts.get("written", {}), manifest.count("read") + manifest.count("dead letters")
    parts = [f"| {part} | {written[part]} | {_shards_of(manifest, part)} |" for part in sorted(written)]
    stages = [
        stage for stage in ("dead letters", "filtered", "duplicates", "contaminated") if manifest.counts.get(stage)
    ]
    losses = [f"| {stage} | {why} | {n} |" for stage in stages for why, n in sorted(manifest.counts[stage].items())]
    hidden = [f"| {kind} | {n} |" for kind, n in sorted(manifest.counts.get("redacted", {}).items())]
    return "\n".join(
        [
            "# Data card",
            "",
            f"Made by {manifest.created_by}; records of schema {manifest.schema_version}, as {manifest.format}.",
            f"Licences of the sources: {', '.join(manifest.licences) or 'none named'}.",
            "",
            f"## Composition: {manifest.count('written')} records of {lines} lines",
            "",
            *table("part | records | shards", parts),
            "",
            "Callers and conversations are in one part only. Agents are in all of them.",
            "",
            "## What was left out, and why",
            "",
            *table("stage | reason | records", losses),
            "",
            "## What was replaced",
            "",
            "Personal data give way to placeholders such as [NAME]. Rules found them; rules miss some.",
            "",
            *table("kind | times", hidden),
            "",
            "## Settings",
            "",
            *table("setting | value", [f"| {name} | {value} |" for name, value in sorted(manifest.settings.items())]),
            "",
        ]
    )


def _shards_of(manifest: Manifest, part: str) -> int:
    return sum(shard.part == part for shard in manifest.shards)


def table(header: str, rows: Sequence[str]) -> list[str]:
    """The lines of a table in Markdown; of one without rows, the word that says so."""
    columns = header.count("|") + 1
    return [f"| {header} |", "|" + " --- |" * columns, *rows] if rows else ["Nothing."]


def manifest_of(
    counts: Counts,
    shards: Iterable[Shard],
    licences: Iterable[str],
    form: str,
    settings: Mapping[str, str | int | float],
) -> Manifest:
    """The manifest of shards that have been written."""
    return Manifest(
        schema_version=SCHEMA_VERSION,
        created_by=CREATED_BY,
        format=form,
        licences=tuple(sorted(set(licences))),
        settings=dict(settings),
        counts={stage: dict(sorted(reasons.items())) for stage, reasons in sorted(counts.items())},
        shards=tuple(sorted(shards, key=lambda shard: shard.file)),
    )
