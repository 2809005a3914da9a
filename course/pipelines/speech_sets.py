"""Speech data sets: archives of FLAC, a manifest, a card, and the run that makes them on any runner (Lecture 8)."""

import io
import json
import tarfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from course.errors import CourseError
from course.pipelines.files import exists, join, read_whole, write_whole
from course.pipelines.pipeline import PLAIN, Outcome, run_beam, run_key, run_once
from course.pipelines.records import DeadLetter
from course.pipelines.runners import options_of
from course.pipelines.sound import (
    MILLISECONDS,
    Clip,
    Settings,
    part_of_clip,
    place_of,
    prepare,
    read_list,
    without_duplicates,
    written,
)
from course.pipelines.stages import DEAD, Counted, dead_letters_bytes, total
from course.pipelines.writing import (
    Manifest,
    Shard,
    finish,
    manifest_of,
    shard_number,
    table,
    verify,
    write_recordings_shard,
)

FORMAT = "flac"


def make_speech_set(
    list_file: str,
    output: str,
    settings: Settings | None = None,
    runner: str = PLAIN,
    workers: int = 1,
    options: Sequence[str] = (),
) -> Outcome:
    """Make a speech data set, unless it is there.

    Args:
        list_file: JSON lines, each a :class:`course.pipelines.sound.Listed`.
        output: folder.
        settings: what decides about the content.
        runner, workers, options: as for :func:`course.pipelines.pipeline.run`; "cluster" runs text only.

    Raises:
        CourseError: there is no list, the pipeline failed, or its output is not what its manifest says.
    """
    settings = settings or Settings()
    beam_options = [*options_of(runner, workers), *options]

    def make() -> dict[str, int]:
        if runner == PLAIN:
            make_plain(list_file, output, settings)
            return {}
        from course.pipelines.sound_transforms import make_speech_set as build

        return run_beam(lambda pipeline: build(pipeline, list_file, output, settings), beam_options)

    return run_once(output, run_key(files_of(list_file), settings), make)


def files_of(list_file: str) -> tuple[str, ...]:
    """A list and the recordings that it names and that are there.

    Raises:
        CourseError: there is no list.
    """
    if not exists(list_file):
        raise CourseError(f"A list of recordings was expected at {list_file}; 'course pipelines collect' writes one.")
    listed = (thing[1] for thing in read_list(list_file) if not isinstance(thing, DeadLetter))
    places = {place_of(one, list_file) for one in listed}
    return (list_file, *sorted(place for place in places if exists(place)))


def make_plain(list_file: str, output: str, settings: Settings) -> Manifest:
    """Read a list of recordings, write a speech data set, and return its manifest: in a loop, without Beam."""
    found: list = []
    for thing in read_list(list_file):
        found += prepare(thing, list_file, settings)
    counts = [thing for thing in found if isinstance(thing, Counted)]
    dead = [thing for thing in found if isinstance(thing, DeadLetter)]
    clips = [thing for thing in found if isinstance(thing, Clip)]
    shards: dict[tuple[str, int], list[Clip]] = defaultdict(list)
    for clip in without_duplicates(clips, settings, counts):
        part = part_of_clip(clip, settings)
        counts += written(part, clip)
        shards[part, shard_number(clip.name, settings.shards)].append(clip)
    made = [write_recordings_shard(output, *place, settings.shards, inside) for place, inside in shards.items()]
    return finished(output, counts, made, dead, settings)


def finished(
    output: str, counts: Iterable[Counted], shards: Iterable[Shard], dead: Iterable[DeadLetter], settings: Settings
) -> Manifest:
    """Write dead letters, data card and manifest, which ends a run."""
    added = total(counts)
    licences = added.pop("licence", {})
    manifest = manifest_of(added, shards, licences, FORMAT, settings.model_dump(mode="json"))
    write_whole(join(output, DEAD), dead_letters_bytes(dead))
    finish(output, manifest, speech_card(manifest))
    return manifest


def seconds_of_speakers(manifest: Manifest) -> dict[str, dict[str, float]]:
    """By part and speaker, how many seconds a speech data set has."""
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for place, milliseconds in manifest.counts.get(MILLISECONDS, {}).items():
        part, speaker = place.split(": ", 1)
        found[part][speaker] = milliseconds / 1000
    return dict(found)


def speech_card(manifest: Manifest) -> str:
    """What a person has to know before using the recordings, in Markdown, from the manifest."""
    seconds, written_to = seconds_of_speakers(manifest), manifest.counts.get("written", {})
    parts = [
        f"| {part} | {n} | {len(seconds[part])} | {sum(seconds[part].values()):.1f} |"
        for part, n in sorted(written_to.items())
    ]
    speakers = [
        f"| {part} | {speaker} | {length:.1f} |"
        for part in sorted(seconds)
        for speaker, length in sorted(seconds[part].items())
    ]
    losses = [
        f"| {stage} | {why} | {n} |"
        for stage in ("dead letters", "filtered", "duplicates")
        for why, n in sorted(manifest.counts.get(stage, {}).items())
    ]
    cut = manifest.counts.get("trimmed", {}).get("milliseconds", 0) / 1000
    settings = [f"| {name} | {value} |" for name, value in sorted(manifest.settings.items())]
    return "\n".join(
        [
            "# Data card",
            "",
            f"Made by {manifest.created_by}: speech in FLAC, 16 bits, {manifest.settings['sample_rate']} Hz, mono.",
            f"Licences of the sources: {', '.join(manifest.licences) or 'none named'}.",
            "",
            f"## Composition: {manifest.count('written')} recordings",
            "",
            *table("part | recordings | speakers | seconds", parts),
            "",
            "Every speaker is in one part only. Voices are personal data: nothing here hides whose they are.",
            "",
            *table("part | speaker | seconds", speakers),
            "",
            "## What was left out, and why",
            "",
            f"Silence before and after the speech: {cut:.1f} s.",
            "",
            *table("stage | reason | recordings", losses),
            "",
            "## Settings",
            "",
            *table("setting | value", settings),
            "",
        ]
    )


def recordings_in(archive: bytes) -> Iterator[tuple[dict, np.ndarray]]:
    """What a shard holds: for each recording what is known about it, with its name, and ``(n_samples,)`` int16."""
    import soundfile

    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        for member in opened:
            if member.name.endswith(".json"):
                about = json.load(opened.extractfile(member)) | {"name": member.name.removesuffix(".json")}
                sound = opened.extractfile(f"{about['name']}.flac").read()
                yield about, soundfile.read(io.BytesIO(sound), dtype="int16")[0]


def read_part(folder: str, part: str) -> list[tuple[dict, np.ndarray]]:
    """The recordings of one part of a speech data set, sorted by name.

    Raises:
        CourseError: the data set is not what its manifest says, or holds no recordings.
    """
    manifest = verify(folder)
    if manifest.format != FORMAT:
        raise CourseError(f"{folder} holds {manifest.format}; recordings were expected. Try course.pipelines.writing.")
    shards = [shard.file for shard in manifest.shards if shard.part == part]
    found = [one for file in shards for one in recordings_in(read_whole(join(folder, file)))]
    return sorted(found, key=lambda one: one[0]["name"])


def leaks(parts: Mapping[str, Sequence[tuple[dict, np.ndarray]]]) -> set[str]:
    """Speakers who are in more than one part; empty for a split that holds."""
    places = defaultdict(set)
    for part, recordings in parts.items():
        for about, _ in recordings:
            places[about["speaker"]].add(part)
    return {speaker for speaker, found in places.items() if len(found) > 1}
