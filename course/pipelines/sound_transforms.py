"""The steps of :mod:`course.pipelines.sound` as Beam transforms (Lecture 8).

Recordings travel between the steps, seconds of sound each. What is compared all against all travels lighter: a
fingerprint is some hundred numbers.
"""

from collections.abc import Iterable, Iterator, Mapping

import apache_beam as beam
from apache_beam.pvalue import AsList, TaggedOutput

from course.pipelines import sound, speech_sets
from course.pipelines.keyed import similar_in_bytes
from course.pipelines.records import DeadLetter
from course.pipelines.sound import Clip, Settings
from course.pipelines.stages import Counted
from course.pipelines.transforms import Counting, connect
from course.pipelines.writing import Shard, shard_number, write_recordings_shard


class Prepare(Counting):
    """:func:`course.pipelines.sound.prepare` on each line of a list; outputs "counts" and "dead"."""

    def __init__(self, list_file: str, settings: Settings):
        super().__init__()
        self.list_file, self.settings = list_file, settings

    def process(self, thing) -> Iterator:
        """The recording, if it is kept."""
        for one in sound.prepare(thing, self.list_file, self.settings):
            if isinstance(one, Counted):
                yield self.count(one)
            else:
                yield TaggedOutput("dead", one) if isinstance(one, DeadLetter) else one


class KeepOne(Counting):
    """Of the recordings with one key, the one to keep."""

    def __init__(self, reason: str):
        super().__init__()
        self.reason = reason

    def process(self, keyed) -> Iterator:
        """The recording, and counts of the others."""
        kept, counts = sound.keep_one(keyed[1], self.reason)
        yield kept
        yield from map(self.count, counts)


class OneOfEach(beam.PTransform):
    """Recordings without those that share a key, from ``(key, recording)``; outputs "kept" and "counts"."""

    def __init__(self, reason: str):
        super().__init__()
        self.reason = reason

    def expand(self, keyed: beam.PCollection):
        """As the class says."""
        return keyed | beam.GroupByKey() | beam.ParDo(KeepOne(self.reason)).with_outputs("counts", main="kept")


def by_bands(clip: Clip, settings: Settings) -> Iterator:
    """The recording's name and fingerprint under each key of its signature."""
    numbers = sound.fingerprint(clip)
    yield from ((key, (clip.name, numbers.tobytes())) for key in settings.banding.keys(numbers))


def keyed_by_group(clip: Clip, group: Mapping) -> tuple[str, Clip]:
    """The recording under the smallest name that it is connected to, its own if to none."""
    return group.get(clip.name, clip.name), clip


class Written(Counting):
    """Sends each recording on under its part and shard, and counts it."""

    def __init__(self, settings: Settings):
        super().__init__()
        self.settings = settings

    def process(self, clip) -> Iterator:
        """The keyed recording and what it adds to the counts."""
        part = sound.part_of_clip(clip, self.settings)
        yield from map(self.count, sound.written(part, clip))
        yield (part, shard_number(clip.name, self.settings.shards)), clip


def write_shard(keyed, output: str, n_shards: int) -> Shard:
    """Write all recordings of a shard; written again, it is the same."""
    (part, number), clips = keyed
    return write_recordings_shard(output, part, number, n_shards, clips)


def write_end(
    output: str, settings: Settings, counts: Iterable, shards: Iterable[Shard], dead: Iterable[DeadLetter]
) -> None:
    """Write dead letters, data card and manifest, when everything else is there."""
    added = [Counted(*reason, times) for reason, times in counts]
    speech_sets.finished(output, added, shards, dead, settings)


def without_duplicates(clips: beam.PCollection, settings: Settings) -> tuple[beam.PCollection, list]:
    """The recordings that stay, and three collections of counts."""
    same = clips | "By name" >> beam.Map(lambda clip: (clip.name, clip)) | "Same name" >> OneOfEach("same name")
    exact = same.kept | "By samples" >> beam.Map(lambda clip: (clip.digest, clip)) | "Exact" >> OneOfEach("exact")
    pairs = (
        exact.kept
        | "Bands" >> beam.FlatMap(by_bands, settings)
        | "Buckets" >> beam.GroupByKey()
        | "Similar" >> beam.FlatMap(similar_in_bytes, settings.near)
    )
    near = exact.kept | "By group" >> beam.Map(keyed_by_group, connect(pairs)) | "Near" >> OneOfEach("near")
    return near.kept, [same.counts, exact.counts, near.counts]


def make_speech_set(pipeline: beam.Pipeline, list_file: str, output: str, settings: Settings) -> None:
    """Add to a pipeline everything from a list of recordings to the manifest of a data set."""
    prepared = (
        pipeline
        | "List" >> beam.Create([list_file])
        | "Lines" >> beam.FlatMap(sound.read_list)
        | "Spread" >> beam.Reshuffle()
        | "Prepare" >> beam.ParDo(Prepare(list_file, settings)).with_outputs("counts", "dead", main="kept")
    )
    unique, unique_counts = without_duplicates(prepared.kept, settings)
    parts = unique | "Parts" >> beam.ParDo(Written(settings)).with_outputs("counts", main="kept")
    shards = parts.kept | "Shards" >> beam.GroupByKey() | "Write" >> beam.Map(write_shard, output, settings.shards)
    counts = (
        [prepared.counts, *unique_counts, parts.counts]
        | "All counts" >> beam.Flatten()
        | "By reason" >> beam.Map(lambda one: ((one.stage, one.reason), one.times))
        | "Added" >> beam.CombinePerKey(sum)
    )
    end = beam.Map(write_end, settings, AsList(counts), AsList(shards), AsList(prepared.dead))
    _ = pipeline | "Output" >> beam.Create([output]) | "End" >> end
