"""From log files to the portal's objects: the pure functions in a loop, and the same as a Beam pipeline.

Rows of a conversation travel to one worker, so that no two workers wait for each other's rows in the database. Where a
bundle is repeated, a file ingested again or a process killed, the end is the same: see `services.portal.store`.

Dead letters of a file are written to a file beside, ``<name>.dead.jsonl``, which a later run of the same file replaces:
a line that was half-written then, and is whole now, is no dead letter any more.
"""

import json
import pickle
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from course.errors import CourseError
from course.pipelines.records import DeadLetter
from course.storage import write_atomic
from services.portal.entries import Block, Said, parse_entry, read_blocks

SHARDS = 16
ENDING = ".dead.jsonl"


@dataclass
class Counts:
    """What came of an ingestion: entries about conversations, about other things, and dead letters."""

    said: int = 0
    other: int = 0
    dead: int = 0

    @property
    def entries(self) -> int:
        """All that were read."""
        return self.said + self.other + self.dead

    def __add__(self, more: "Counts") -> "Counts":
        return Counts(self.said + more.said, self.other + more.other, self.dead + more.dead)


def parse_block(block: Block, owner: str) -> tuple[list[Said], list[DeadLetter], Counts]:
    """Rows and dead letters of a block, and how many entries there were."""
    rows, dead = [], []
    for number, line in block.entries:
        found = parse_entry(line, block.source, number, owner)
        if isinstance(found, Said):
            rows.append(found)
        elif isinstance(found, DeadLetter):
            dead.append(found)
    return rows, dead, Counts(len(rows), len(block.entries) - len(rows) - len(dead), len(dead))


def by_shard(rows: Iterable[Said]) -> dict[int, list[Said]]:
    """Rows by the worker that stores them: those of a conversation are together."""
    shards: dict[int, list[Said]] = {}
    for row in rows:
        shards.setdefault(zlib.crc32(row.conversation.encode()) % SHARDS, []).append(row)
    return shards


def require_names(files: Iterable[str]) -> list[str]:
    """The files, if their names differ, since dead letters are kept by the name.

    Raises:
        CourseError: there are none, or two have the same name.
    """
    files = list(files)
    names = [Path(file).name for file in files]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise CourseError(f"Two files are called {twice[0]}; ingest them one after the other, or rename one.")
    if not files:
        raise CourseError("Log files were expected and none was named.")
    return files


def write_dead(folder: Path, source: str, dead: Iterable[DeadLetter]) -> None:
    """Write the dead letters of a file, sorted; where there are none, there is no file."""
    path = folder / f"{source}{ENDING}"
    lines = [json.dumps(asdict(one), ensure_ascii=True) + "\n" for one in sorted(dead)]
    if lines:
        write_atomic(path, "".join(lines))
    else:
        path.unlink(missing_ok=True)


def ingest_in_a_loop(files: Iterable[str], dead_letters: Path, owner: str = "") -> Counts:
    """Read files into the database, one block after the other.

    Args:
        files: logs.
        dead_letters: folder for what could not be read.
        owner: whose conversations these are, where an entry names nobody.
    """
    from services.portal.store import store

    total = Counts()
    for file in require_names(files):
        letters: list[DeadLetter] = []
        for block in read_blocks(file):
            rows, dead, counts = parse_block(block, owner)
            store(rows)
            letters += dead
            total += counts
        write_dead(dead_letters, Path(file).name, letters)
    return total


def parsed(block: Block, owner: str) -> Iterator:
    """For Beam: rows by shard, and tagged dead letters and counts."""
    from apache_beam.pvalue import TaggedOutput

    rows, dead, counts = parse_block(block, owner)
    # Pickled here: Beam would write each field of each row by itself, which takes as long as all the rest.
    yield from ((shard, pickle.dumps(together)) for shard, together in by_shard(rows).items())
    yield TaggedOutput("dead", (block.source, dead))
    yield TaggedOutput("counts", counts)


def stored(shard: tuple[int, Iterable[bytes]]) -> None:
    """For Beam: the rows of a shard, from all blocks and pickled, into the database."""
    from services.portal.start import ready

    ready()
    from django.db import connection

    from services.portal.store import store

    try:
        store(row for together in shard[1] for row in pickle.loads(together))
    finally:
        connection.close()  # which is this worker's own


def dead_of_file(keyed: tuple[str, Iterable[list[DeadLetter]]], folder: str) -> None:
    """For Beam: the dead letters of a file into their file."""
    write_dead(Path(folder), keyed[0], [letter for letters in keyed[1] for letter in letters])


def add_ingestion(pipeline, files: Iterable[str], dead_letters: Path, owner: str = "") -> object:
    """Add everything from the names of files to the database to a pipeline; the collection of its one `Counts`."""
    import apache_beam as beam

    found = (
        pipeline
        | "Files" >> beam.Create(require_names(files), reshuffle=False)
        | "Read" >> beam.FlatMap(read_blocks)
        | "Spread" >> beam.Reshuffle()
        | "Parse" >> beam.FlatMap(parsed, owner).with_outputs("dead", "counts", main="rows")
    )
    _ = found.rows | "By shard" >> beam.GroupByKey() | "Store" >> beam.Map(stored)
    _ = found.dead | "By file" >> beam.GroupByKey() | "Dead letters" >> beam.Map(dead_of_file, str(dead_letters))
    return found.counts | "Added" >> beam.CombineGlobally(lambda counts: sum(counts, Counts()))


def ingest(
    files: Iterable[str], dead_letters: Path, owner: str = "", runner: str = "direct", workers: int = 1
) -> Counts:
    """Read files into the database by the pipeline; a killed run is repaired by the next one.

    Args:
        files: logs.
        dead_letters: folder for what could not be read.
        owner: whose conversations these are, where an entry names nobody.
        runner, workers: as :func:`course.pipelines.runners.options_of` takes them.
    """
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

    from course.pipelines.runners import options_of

    with tempfile.TemporaryDirectory(prefix="portal-") as folder:
        noted = Path(folder) / "counts.json"
        with beam.Pipeline(options=PipelineOptions(options_of(runner, workers))) as pipeline:
            counts = add_ingestion(pipeline, files, dead_letters, owner)
            _ = counts | "Note" >> beam.Map(note_counts, str(noted))
        return Counts(**json.loads(noted.read_text()))


def note_counts(counts: Counts, path: str) -> None:
    """For Beam: leave the counts where the one who started the pipeline finds them."""
    write_atomic(Path(path), json.dumps(asdict(counts)))
