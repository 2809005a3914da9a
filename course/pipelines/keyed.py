"""What is sent to whom: the functions on both sides of a shuffle, the same for every engine that shuffles (Lecture 8).

A *shuffle* brings together what has one key, wherever it was. Before it a function gives each thing its keys; after it
a function sees all things of one key, in no order that it could rely on. :mod:`course.pipelines.transforms` has Beam
shuffle, :mod:`course.pipelines.cluster` Dask.
"""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from course.evaluation.contamination import ngrams
from course.pipelines.duplicates import Banding, shingles, similar_in_bucket
from course.pipelines.records import Record
from course.pipelines.stages import EVALUATED, Counted, Settings, too_alike, written
from course.pipelines.writing import shard_number

TRAINING = ""  # stands for the training set among the ids of records; no id is empty


def by_bands(record: Record, banding: Banding) -> Iterator[tuple[str, tuple[str, bytes]]]:
    """The record's id and shingles under each key of its signature."""
    shingled = shingles(record.text)
    yield from ((key, (record.id, shingled.tobytes())) for key in banding.keys(shingled))


def similar_in_bytes(keyed: tuple[str, Iterable[tuple[str, bytes]]], threshold: float) -> Iterator[tuple[str, str]]:
    """Similar pairs among those that share a key."""
    members = [(name, np.frombuffer(content, dtype=np.uint64)) for name, content in keyed[1]]
    yield from similar_in_bucket(members, threshold)


def runs_of_words(parted: tuple[str, Record], n: int) -> Iterator[tuple[str, str]]:
    """Each run of ``n`` words with who has it: the training set, or a record that is evaluated on."""
    part, record = parted
    yield from ((" ".join(run), record.id if part in EVALUATED else TRAINING) for run in ngrams(record.text, n))


def seen_in_training(keyed: tuple[str, Iterable[str]]) -> Iterator[tuple[str, int]]:
    """Each record that has a run which the training set has, too, with 1."""
    owners = set(keyed[1])
    if TRAINING in owners:
        yield from ((owner, 1) for owner in owners - {TRAINING})


def keyed_by_group(record: Record, group: Mapping[str, str]) -> tuple[str, Record]:
    """The record under the smallest id that it is connected to, its own if to none."""
    return group.get(record.id, record.id), record


def keyed_by_part(record: Record, all_groups: Mapping[str, str], settings: Settings) -> tuple[str, Record]:
    """The record under the part of its group."""
    return settings.part_of(record, all_groups), record


def keyed_by_shard(parted: tuple[str, Record], n_shards: int) -> tuple[tuple[str, int], Record]:
    """The record under its part and the number of its shard."""
    part, record = parted
    return (part, shard_number(record.id, n_shards)), record


def judged(
    parted: tuple[str, Record], known: Mapping[str, int], settings: Settings
) -> Iterator[tuple[str, Record] | Counted]:
    """A record with its part, unless training knows too much of it; with what is to be counted.

    Args:
        parted: part and record.
        known: how many of a record's runs of words the training set has, by its id.
        settings: how much is too much.
    """
    part, record = parted
    runs = len(ngrams(record.text, settings.run)) if part in EVALUATED else 0
    if runs and too_alike(known.get(record.id, 0) / runs, part, settings):
        yield Counted("contaminated", part)
        return
    yield parted
    yield from written(part, record)
