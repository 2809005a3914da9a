"""The same pipeline on a Dask cluster: the pure functions once more, shuffled by another engine (Lecture 8).

A scheduler and worker processes are started for the run and end with it; the option ``--scheduler=tcp://HOST:PORT``
names a cluster that runs already, on as many machines as one likes. Workers read the files and write the shards, so
both have to lie where every machine sees them.

Beam's own DaskRunner would spare this module. In Beam 2.77 it computes the last transform of a pipeline alone, and
knows no tagged outputs; the dead letters are one.

What a worker held is lost when it dies. Dask then does its tasks again, on the others; because all of them are pure
functions of files that are still there, nobody can see it in the result.

Source: M. Rocklin, Dask: Parallel Computation with Blocked algorithms and Task Scheduling, SciPy 2015.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from operator import attrgetter, itemgetter
from pathlib import Path

from dask.bag import Bag, from_sequence
from distributed import Client, KilledWorker

from course.errors import CourseError
from course.pipelines import keyed
from course.pipelines.duplicates import connected, exact_key, keep_one
from course.pipelines.files import join, write_whole
from course.pipelines.plain import finished, read_file
from course.pipelines.records import DeadLetter, Record
from course.pipelines.splitting import edges
from course.pipelines.stages import DEAD, Counted, Settings, counted, dead_letters_bytes, prepare, total
from course.pipelines.writing import Manifest, Shard, write_shard

SCHEDULER = "--scheduler="
PARTS_PER_WORKER = 2
START_SECONDS, END_SECONDS = 120.0, 10.0
IDLE = "300s"  # a scheduler whose client was killed ends after this, and its workers with it
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def run(files: Sequence[str], output: str, settings: Settings, workers: int, options: Sequence[str] = ()) -> Manifest:
    """Make a data set on a cluster of ``workers`` processes, or on the one that ``--scheduler=`` names.

    Raises:
        CourseError: an unknown option, a cluster that does not start or cannot be reached, or workers that keep dying.
    """
    addresses = [option.removeprefix(SCHEDULER) for option in options if option.startswith(SCHEDULER)]
    if len(addresses) < len(options) or len(addresses) > 1:
        raise CourseError(f"The runner cluster was expected to get {SCHEDULER}ADDRESS or nothing; {options} came.")
    with contextlib.nullcontext(addresses[0]) if addresses else started(workers) as address:
        try:
            with _client(address) as client, client.as_current():
                return make_data_set(files, output, settings, PARTS_PER_WORKER * workers)
        except KilledWorker as error:
            raise CourseError(
                f"Workers of the cluster died again and again: {error}. Have they enough memory?"
            ) from error


def _client(address: str) -> Client:
    try:
        return Client(address, timeout=START_SECONDS, set_as_default=False)
    except OSError as error:
        raise CourseError(f"No Dask scheduler answers at {address}: {error}.") from error


def make_data_set(files: Sequence[str], output: str, settings: Settings, partitions: int) -> Manifest:
    """Read files, write a data set and return its manifest, on the cluster of the current client."""
    read = _spread(from_sequence(files, partition_size=1).map(read_file).flatten().map(_prepared).flatten())
    kept, unique_counts = without_duplicates(read, settings, partitions)
    groups = connected(kept.map(edges).flatten().distinct().compute())
    parted = _spread(kept.map(keyed.keyed_by_part, groups, settings))
    known = Counter(_known(parted, settings, partitions))
    chosen = _spread(parted.map(keyed.judged, known, settings).map(list).flatten())
    shards = (
        _shuffled(_only(chosen, tuple).map(keyed.keyed_by_shard, settings.shards), partitions)
        .map(_written, output, settings)
        .compute()
    )
    counts = [*_counts(read), *unique_counts, *_counts(chosen)]
    dead = _only(read, DeadLetter).compute()
    write_whole(join(output, DEAD), dead_letters_bytes(dead))
    return finished(output, counts, shards, settings)


def without_duplicates(things: Bag, settings: Settings, partitions: int) -> tuple[Bag, list[Counted]]:
    """The records that stay, and counts of the others."""
    same = one_of_each(things, attrgetter("id"), "same id", partitions)
    exact = one_of_each(same, _words, "exact", partitions)
    bands = _only(exact, Record).map(keyed.by_bands, settings.banding).flatten()
    pairs = _shuffled(bands, partitions).map(keyed.similar_in_bytes, settings.near).map(list).flatten()
    group = connected(pairs.distinct().compute())
    near = one_of_each(exact, partial(_group, group=group), "near", partitions)
    return _only(near, Record), [count for bag in (same, exact, near) for count in _counts(bag)]


def one_of_each(things: Bag, key: Callable[[Record], str], reason: str, partitions: int) -> Bag:
    """The record to keep of those that share a key, and a count for each of the others."""
    pairs = _only(things, Record).map(_with_key, key)
    return _spread(_shuffled(pairs, partitions).map(_kept, reason).flatten())


def _spread(bag: Bag) -> Bag:
    """The same, computed once and kept on the workers."""
    return bag.persist()


def _shuffled(pairs: Bag, partitions: int) -> Bag:
    """From ``(key, value)`` to ``(key, values)``."""
    groups = pairs.repartition(npartitions=partitions).groupby(itemgetter(0), shuffle="tasks")
    return groups.map(_values)


def _values(group: tuple) -> tuple:
    key, pairs = group
    return key, [value for _, value in pairs]


def _only(bag: Bag, kind: type) -> Bag:
    return bag.filter(partial(_is_a, kind=kind))


def _is_a(thing, kind: type) -> bool:
    """Exactly of a type: a count is a tuple, too."""
    return type(thing) is kind


def _counts(bag: Bag) -> list[Counted]:
    """The counts among things, added up where they are before they travel."""
    return _only(bag, Counted).map_partitions(_added).compute()


def _added(counts: Iterable[Counted]) -> list[Counted]:
    return [Counted(stage, why, n) for stage, reasons in total(counts).items() for why, n in reasons.items()]


def _prepared(thing: Record | DeadLetter) -> list:
    return [counted(thing), thing] if isinstance(thing, DeadLetter) else list(prepare(thing))


def _words(record: Record) -> str:
    return exact_key(record.text)


def _group(record: Record, group: dict[str, str]) -> str:
    return keyed.keyed_by_group(record, group)[0]


def _with_key(record: Record, key: Callable[[Record], str]) -> tuple[str, Record]:
    return key(record), record


def _kept(group: tuple[str, list[Record]], reason: str) -> list:
    kept, dropped = keep_one(group[1], "duplicates", reason)
    return [kept, *map(counted, dropped)]


def _known(parted: Bag, settings: Settings, partitions: int) -> Iterator[str]:
    """The id of a record that is evaluated on, once for each of its runs of words that the training set has."""
    runs = _shuffled(parted.map(keyed.runs_of_words, settings.run).map(list).flatten(), partitions)
    return (name for name, _ in runs.map(keyed.seen_in_training).map(list).flatten().compute())


def _written(group: tuple[tuple[str, int], list[Record]], output: str, settings: Settings) -> Shard:
    (part, number), records = group
    return write_shard(output, part, number, settings.shards, records, settings.format)


@contextlib.contextmanager
def started(workers: int) -> Iterator[str]:
    """The address of a cluster on this machine, which lasts as long as this context: a scheduler, and worker processes
    of one thread each; one that dies is started again.

    Raises:
        ValueError: fewer than one worker.
        CourseError: the scheduler does not start.
    """
    if workers < 1:
        raise ValueError(f"At least one worker was expected and {workers} came.")
    with tempfile.TemporaryDirectory(prefix="course-cluster-") as folder, contextlib.ExitStack() as processes:
        place = Path(folder, "scheduler.json")
        file = f"--scheduler-file={place}"
        local = ["--no-dashboard", "--dashboard-address=127.0.0.1:0"]
        scheduler = ["--host=127.0.0.1", "--port=0", f"--idle-timeout={IDLE}", *local, file]
        log = Path(folder, "log")
        processes.enter_context(_process("distributed.cli.dask_scheduler", scheduler, log))
        _wait_for(place, log)
        worker = [f"--nworkers={workers}", "--nthreads=1", "--death-timeout=60", f"--local-directory={folder}"]
        processes.enter_context(_process("distributed.cli.dask_worker", [*worker, "--no-dashboard", file], log))
        yield _address(place)


def _address(place: Path) -> str:
    return json.loads(place.read_bytes())["address"]


@contextlib.contextmanager
def _process(module: str, arguments: Sequence[str], log: Path) -> Iterator[None]:
    """A Python module that runs meanwhile."""
    with log.open("ab") as file:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            env=os.environ | ONE_THREAD,
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(place: Path, log: Path) -> None:
    """Wait until the scheduler has written where it listens."""
    deadline = time.monotonic() + START_SECONDS
    while not place.exists() or not place.stat().st_size:
        if time.monotonic() > deadline:
            last = (log.read_text(errors="replace").strip().splitlines() or ["nothing"])[-1]
            raise CourseError(f"Dask's scheduler was not ready within {START_SECONDS:g} s; its log ends in: {last}")
        time.sleep(0.05)
