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

from course.evaluation.contamination import ngrams
from course.pipelines.duplicates import Banding, connected, exact_key, keep_one, shingles, similar_in_bucket
from course.pipelines.files import join, open_for_reading, write_whole
from course.pipelines.plain import finished
from course.pipelines.records import DeadLetter, Record, parse_file
from course.pipelines.splitting import edges
from course.pipelines.stages import (
    DEAD,
    EVALUATED,
    Counted,
    Settings,
    counted,
    dead_letters_bytes,
    prepare,
    too_alike,
    written,
)
from course.pipelines.writing import Shard, shard_number, write_shard

NAMESPACE = "course.pipelines"
TRAINING = ""  # stands for the training set among the ids of records; no id is empty


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


def by_bands(record: Record, banding: Banding) -> Iterator[tuple[str, tuple[str, bytes]]]:
    """The record's id and shingles under each key of its signature."""
    shingled = shingles(record.text)
    yield from ((key, (record.id, shingled.tobytes())) for key in banding.keys(shingled))


def similar_in_bytes(keyed: tuple[str, Iterable[tuple[str, bytes]]], threshold: float) -> Iterator[tuple[str, str]]:
    """Similar pairs among those that share a key."""
    import numpy as np

    members = [(name, np.frombuffer(content, dtype=np.uint64)) for name, content in keyed[1]]
    yield from similar_in_bucket(members, threshold)


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


def keyed_by_group(record: Record, group: Mapping[str, str]) -> tuple[str, Record]:
    """The record under the smallest id that it is connected to, its own if to none."""
    return group.get(record.id, record.id), record


def keyed_by_part(record: Record, all_groups: Mapping[str, str], settings: Settings) -> tuple[str, Record]:
    """The record under the part of its group."""
    return settings.part_of(record, all_groups), record


def runs_of_words(parted: tuple[str, Record], n: int) -> Iterator[tuple[str, str]]:
    """Each run of ``n`` words with who has it: the training set, or a record that is evaluated on."""
    part, record = parted
    yield from ((" ".join(run), record.id if part in EVALUATED else TRAINING) for run in ngrams(record.text, n))


def seen_in_training(keyed: tuple[str, Iterable[str]]) -> Iterator[tuple[str, int]]:
    """Each record that has a run which the training set has, too, with 1."""
    owners = set(keyed[1])
    if TRAINING in owners:
        yield from ((owner, 1) for owner in owners - {TRAINING})


class NotTooAlike(Counting):
    """Leaves out what is evaluated on and known from training, by how many runs of words of each id are known."""

    def __init__(self, settings: Settings):
        super().__init__()
        self.settings = settings

    def process(self, parted: tuple[str, Record], known: Mapping[str, int]) -> Iterator:
        """The record with its part, unless it is too much alike."""
        part, record = parted
        runs = len(ngrams(record.text, self.settings.run)) if part in EVALUATED else 0
        if runs and too_alike(known.get(record.id, 0) / runs, part, self.settings):
            yield self.count(Counted("contaminated", part))
            return
        yield parted
        yield from map(self.count, written(part, record))


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


def keyed_by_shard(parted: tuple[str, Record], n_shards: int) -> tuple[tuple[str, int], Record]:
    """The record under its part and the number of its shard."""
    part, record = parted
    return (part, shard_number(record.id, n_shards)), record


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
