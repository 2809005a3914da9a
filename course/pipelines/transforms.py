"""The same steps as Beam transforms: each calls a pure function and says where its results go (Lecture 8).

Counts travel as elements, not only as Beam's metrics. A runner repeats a bundle of elements whose worker has died, and
what a metric had counted in the meantime may stay counted; elements of a bundle that failed are thrown away with it.

Two steps need to see everything at once: what is near to what, and which calls share a caller. Their edges, a handful
of bytes each, go to one worker (``ToList``), and what is connected comes back to all as a side input.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import apache_beam as beam
from apache_beam.metrics import Metrics
from apache_beam.pvalue import AsDict, AsList, AsSingleton, TaggedOutput

from course.pipelines.duplicates import connected, exact_key, keep_one
from course.pipelines.files import join, open_for_reading, write_whole
from course.pipelines.keyed import (
    by_bands,
    judged,
    keyed_by_group,
    keyed_by_part,
    keyed_by_shard,
    runs_of_words,
    seen_in_training,
    similar_in_bytes,
)
from course.pipelines.plain import finished
from course.pipelines.records import DeadLetter, Record, parse_file
from course.pipelines.splitting import edges
from course.pipelines.stages import (
    DEAD,
    Counted,
    Settings,
    counted,
    dead_letters_bytes,
    prepare,
)
from course.pipelines.writing import Shard, write_shard

NAMESPACE = "course.pipelines"


class Counting(beam.DoFn):
    """Sends counts to the output "counts" and to Beam's metrics."""

    def count(self, one: Counted) -> TaggedOutput:
        """The element that carries the count."""
        Metrics.counter(NAMESPACE, f"{one.stage}: {one.reason}").inc(one.times)
        return TaggedOutput("counts", one)


class ReadRecords(Counting):
    """From names of files to records; dead letters go to the output "dead"."""

    def process(self, file: str) -> Iterator:
        """Every line of the file."""
        with open_for_reading(file) as opened:
            for thing in parse_file(opened, Path(file).name):
                if isinstance(thing, DeadLetter):
                    yield self.count(counted(thing))
                    yield TaggedOutput("dead", thing)
                else:
                    yield thing


class Prepare(Counting):
    """:func:`course.pipelines.stages.prepare` on each record."""

    def process(self, record: Record) -> Iterator:
        """The record, if it is kept."""
        for thing in prepare(record):
            yield self.count(thing) if isinstance(thing, Counted) else thing


class KeepOne(Counting):
    """Of the records with one key, the one to keep."""

    def __init__(self, reason: str):
        super().__init__()
        self.reason = reason

    def process(self, keyed: tuple[str, Iterable[Record]]) -> Iterator:
        """The record."""
        kept, dropped = keep_one(keyed[1], "duplicates", self.reason)
        yield kept
        yield from (self.count(counted(one)) for one in dropped)


class OneOfEach(beam.PTransform):
    """Records without those that share a key, from ``(key, record)``; outputs "kept" and "counts"."""

    def __init__(self, reason: str):
        super().__init__()
        self.reason = reason

    def expand(self, keyed: beam.PCollection):
        """As the class says."""
        return keyed | beam.GroupByKey() | beam.ParDo(KeepOne(self.reason)).with_outputs("counts", main="kept")


def connect(edge_collection: beam.PCollection) -> AsSingleton:
    """The smallest node that each node is connected to, for every worker to look up."""
    together = edge_collection | "Different edges" >> beam.Distinct() | "Together" >> beam.combiners.ToList()
    return AsSingleton(together | "Connected" >> beam.Map(connected))


class WithoutDuplicates(beam.PTransform):
    """Records without those of the same id, the same words and nearly the same words: "kept" and a list of counts."""

    def __init__(self, settings: Settings):
        super().__init__()
        self.settings = settings

    def expand(self, records: beam.PCollection):
        """Records in; the kept ones and three collections of counts out."""
        same = records | "By id" >> beam.Map(lambda r: (r.id, r)) | "Same id" >> OneOfEach("same id")
        exact = same.kept | "By words" >> beam.Map(lambda r: (exact_key(r.text), r)) | "Exact" >> OneOfEach("exact")
        pairs = (
            exact.kept
            | "Bands" >> beam.FlatMap(by_bands, self.settings.banding)
            | "Buckets" >> beam.GroupByKey()
            | "Similar" >> beam.FlatMap(similar_in_bytes, self.settings.near)
        )
        by_group = exact.kept | "By group" >> beam.Map(keyed_by_group, connect(pairs))
        near = by_group | "Near" >> OneOfEach("near")
        return near.kept, [same.counts, exact.counts, near.counts]


class NotTooAlike(Counting):
    """Leaves out what is evaluated on and known from training, by how many runs of words of each id are known."""

    def __init__(self, settings: Settings):
        super().__init__()
        self.settings = settings

    def process(self, parted: tuple[str, Record], known: Mapping[str, int]) -> Iterator:
        """The record with its part, unless it is too much alike."""
        for thing in judged(parted, known, self.settings):
            yield self.count(thing) if isinstance(thing, Counted) else thing


class Parted(beam.PTransform):
    """Records as ``(part, record)``, no group torn, and what is too much like the training set left out."""

    def __init__(self, settings: Settings):
        super().__init__()
        self.settings = settings

    def expand(self, records: beam.PCollection):
        """As the class says; outputs "kept" and "counts"."""
        groups = connect(records | "Edges" >> beam.FlatMap(edges))
        parts = records | "By part" >> beam.Map(keyed_by_part, groups, self.settings)
        known = (
            parts
            | "Runs" >> beam.FlatMap(runs_of_words, self.settings.run)
            | "Owners" >> beam.GroupByKey()
            | "Seen" >> beam.FlatMap(seen_in_training)
            | "How many" >> beam.CombinePerKey(sum)
        )
        alike = beam.ParDo(NotTooAlike(self.settings), AsDict(known)).with_outputs("counts", main="kept")
        return parts | "Not too alike" >> alike


class WriteShard(beam.DoFn):
    """Writes all records of a shard; written again, it is the same."""

    def __init__(self, output: str, settings: Settings):
        super().__init__()
        self.output, self.settings = output, settings

    def process(self, keyed: tuple[tuple[str, int], Iterable[Record]]) -> Iterator[Shard]:
        """What was written."""
        (part, number), records = keyed
        yield write_shard(self.output, part, number, self.settings.shards, records, self.settings.format)


def write_end(
    output: str,
    settings: Settings,
    counts: list[tuple[tuple[str, str], int]],
    shards: list[Shard],
    dead: list[DeadLetter],
) -> None:
    """Write dead letters, data card and manifest, when everything else is there."""
    write_whole(join(output, DEAD), dead_letters_bytes(dead))
    finished(output, [Counted(*reason, times) for reason, times in counts], shards, settings)


def make_data_set(pipeline: beam.Pipeline, files: Iterable[str], output: str, settings: Settings) -> None:
    """Add to a pipeline everything from the names of files to the manifest of a data set."""
    read = (
        pipeline
        | "Files" >> beam.Create(list(files), reshuffle=True)
        | "Read" >> beam.ParDo(ReadRecords()).with_outputs("counts", "dead", main="records")
    )
    prepared = read.records | "Prepare" >> beam.ParDo(Prepare()).with_outputs("counts", main="kept")
    unique, unique_counts = prepared.kept | "Duplicates" >> WithoutDuplicates(settings)
    parts = unique | "Parts" >> Parted(settings)
    shards = (
        parts.kept
        | "By shard" >> beam.Map(keyed_by_shard, settings.shards)
        | "Shards" >> beam.GroupByKey()
        | "Write" >> beam.ParDo(WriteShard(output, settings))
    )
    counts = (
        [read.counts, prepared.counts, *unique_counts, parts.counts]
        | "All counts" >> beam.Flatten()
        | "By reason" >> beam.Map(lambda one: ((one.stage, one.reason), one.times))
        | "Added" >> beam.CombinePerKey(sum)
    )
    end = beam.Map(write_end, settings, AsList(counts), AsList(shards), AsList(read.dead))
    _ = pipeline | "Output" >> beam.Create([output]) | "End" >> end
