"""One run: from input files to a verified data set, on any runner, as often as one likes (Lecture 8).

A run has a key: the SHA-256 of its settings, of its input and of the code. When the output has a manifest, all shards
and the key of this very run, there is nothing to do. When anything is missing, because a run was killed, all of it is
done again, and comes to the same bytes.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel

from course.errors import CourseError
from course.pipelines import plain
from course.pipelines.files import delete, exists, is_local, join, matching, read_whole, write_whole
from course.pipelines.runners import options_of
from course.pipelines.stages import Settings
from course.pipelines.writing import MANIFEST, Manifest, verify

PLAIN, CLUSTER = "plain", "cluster"
RUN = "run.json"


class Outcome(NamedTuple):
    """What a run came to.

    Attributes:
        manifest: of the data set.
        ran: False where an earlier run had done it all.
        metrics: Beam's counters, where the runner has them; under failures they may count too much.
    """

    manifest: Manifest
    ran: bool
    metrics: dict[str, int]


def run(
    inputs: Sequence[str],
    output: str,
    settings: Settings | None = None,
    runner: str = PLAIN,
    workers: int = 1,
    options: Sequence[str] = (),
) -> Outcome:
    """Make a data set, unless it is there.

    Args:
        inputs: patterns of files of JSON lines, on this machine or in a bucket.
        output: folder.
        settings: what decides about the content.
        runner: "plain" for the loop, "cluster" for Dask, or as :func:`course.pipelines.runners.options_of`.
        workers: how many.
        options: more of Beam's own, such as ``--region=…``; for the cluster, ``--scheduler=tcp://…`` of another one.

    Raises:
        CourseError: no input, the pipeline failed, or its output is not what its manifest says.
        ValueError: fewer than one worker.
    """
    settings, files = settings or Settings(), matching(tuple(inputs))
    beam_options = [*options_of(runner, workers), *options]

    def make() -> dict[str, int]:
        if runner == PLAIN:
            plain.make_data_set(files, output, settings)
            return {}
        if runner == CLUSTER:
            from course.pipelines import cluster

            cluster.run(files, output, settings, workers, options)
            return {}
        from course.pipelines.transforms import make_data_set

        return run_beam(lambda pipeline: make_data_set(pipeline, files, output, settings), beam_options)

    return run_once(output, run_key(files, settings), make)


def run_once(output: str, key: str, make: Callable[[], dict[str, int]]) -> Outcome:
    """Make a data set, unless a run with this key has ended in its folder.

    Args:
        output: folder.
        key: of the run.
        make: writes the data set, the manifest last, and returns counters.

    Raises:
        CourseError: the folder cannot be written, or its content is not what its manifest says.
    """
    if is_done(output, key):
        return Outcome(verify(output), False, {})
    for name in (RUN, MANIFEST):
        if exists(join(output, name)):
            delete(join(output, name))
    try:
        metrics = make()
        write_whole(join(output, RUN), f"{json.dumps({'key': key})}\n".encode())
    except OSError as error:
        raise CourseError(f"{output} could not be written: {error}. Is it a folder with room in it?") from error
    return Outcome(verify(output), True, metrics)


def is_done(output: str, key: str) -> bool:
    """Whether a run with this key has ended in a folder, and everything is still as it left it."""
    if not exists(join(output, RUN)):
        return False
    try:
        return json.loads(read_whole(join(output, RUN))) == {"key": key} and bool(verify(output))
    except (CourseError, ValueError):
        return False


def run_key(files: Sequence[str], settings: BaseModel) -> str:
    """SHA-256 of settings, input and code, in hexadecimal; the order of the files does not matter."""
    inputs = sorted(_fingerprint(file) for file in files)
    text = json.dumps([settings.model_dump(mode="json"), inputs, _code()], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _fingerprint(file: str) -> str:
    """SHA-256 of a file here; what the store says of one in a bucket."""
    if is_local(file):
        with open(file, "rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    from apache_beam.io.filesystems import FileSystems

    return FileSystems.checksum(file)


def _code() -> str:
    """SHA-256 of this package."""
    files = sorted(file for file in Path(__file__).parent.iterdir() if file.suffix in (".py", ".toml"))
    return hashlib.sha256(b"\0".join(file.name.encode() + b"\0" + file.read_bytes() for file in files)).hexdigest()


def run_beam(build: Callable, options: Sequence[str]) -> dict[str, int]:
    """Run what ``build`` adds to a pipeline, and return its counters.

    Args:
        build: is given the empty pipeline.
        options: Beam's.

    Raises:
        CourseError: Beam does not know the runner, or the pipeline ended otherwise than done.
    """
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions
    from apache_beam.runners.runner import PipelineState

    try:
        pipeline = beam.Pipeline(options=PipelineOptions(list(options)))
    except ValueError as error:
        raise CourseError(f"Beam does not know the runner: {error}") from error
    build(pipeline)
    try:
        result = pipeline.run()
        state = result.wait_until_finish() or result.state
    except RuntimeError as error:
        raise CourseError(f"The pipeline failed: {str(error).strip().splitlines()[-1]}") from error
    if state != PipelineState.DONE:
        raise CourseError(f"The pipeline ended in the state {state}.")
    return _counters(result)


def _counters(result) -> dict[str, int]:
    """The counters of a finished pipeline that this package has made, by "stage: reason"."""
    from apache_beam.metrics.metric import MetricsFilter

    from course.pipelines.transforms import NAMESPACE

    found = result.metrics().query(MetricsFilter().with_namespace(NAMESPACE))["counters"]
    counters: dict[str, int] = {}
    for one in found:
        counters[one.key.metric.name] = counters.get(one.key.metric.name, 0) + one.result
    return counters
