"""The job that one option more would start on Google's Dataflow: built and looked at here, started nowhere (Lecture 8).

The pipeline is the one that runs here. With ``--runner DataflowRunner`` Beam writes it down as a graph, puts it into a
bucket, and asks the service to run it. This module does all but the last two steps, which need an account: so what the
course says of the job can be tested, and what it cannot test it names.
"""

import json
import logging
import re
from collections import Counter
from collections.abc import Sequence

from course.errors import CourseError
from course.pipelines.stages import Settings

RUNNER, NAME = "DataflowRunner", "course-pipelines"
BUCKET = re.compile(r"gs://[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]/?")  # of another one Beam goes and looks for a default
NOT_DONE = (
    "Nothing was uploaded and no job was started: that takes a project, a bucket and credentials. "
    "The image was not looked for; it has to hold this package."
)


def options(project: str, region: str, bucket: str, image: str, workers: int) -> list[str]:
    """Beam's options for a job, as they follow the double dash of ``course pipelines run``.

    Args:
        project: of Google Cloud.
        region: where the workers run, for example "europe-west1".
        bucket: ``gs://…``, for what Beam stages and for what workers exchange.
        image: container image of the workers.
        workers: at most so many; the service starts fewer while there is less to do.

    Raises:
        CourseError: a bucket that is none, or fewer than one worker.
    """
    if not BUCKET.fullmatch(bucket) or workers < 1:
        raise CourseError(f"A bucket gs://NAME and at least one worker were expected; {bucket} and {workers} came.")
    return [
        f"--project={project}",
        f"--region={region}",
        f"--temp_location={bucket.rstrip('/')}/temp",
        f"--staging_location={bucket.rstrip('/')}/staging",
        "--sdk_location=container",
        f"--sdk_container_image={image}",
        f"--max_num_workers={workers}",
    ]


def job(
    inputs: Sequence[str],
    output: str,
    settings: Settings,
    project: str,
    region: str,
    bucket: str,
    image: str,
    workers: int = 10,
) -> dict:
    """What Beam would ask Dataflow for, in the words of its API, and what the graph consists of.

    Args:
        inputs: names of files in a bucket; a pattern is matched only when the job is started.
        output: folder in a bucket.
        settings: what decides about the content.
        project, region, bucket, image, workers: as for :func:`options`.

    Returns:
        "request", the body of ``projects.locations.jobs.create`` without what changes from call to call; "steps", how
        many transforms of each kind the graph has; "bytes" of the graph; and "not done".

    Raises:
        CourseError: a path that workers elsewhere could not reach, or options that Beam refuses.
    """
    here = [path for path in (*inputs, output) if not path.startswith("gs://")]
    if here:
        raise CourseError(f"Paths that start with gs:// were expected and {here[0]} came: workers cannot reach it.")
    dry = _dry_run(inputs, output, settings, options(project, region, bucket, image, workers))
    graph = dry.proto_pipeline.SerializeToString(deterministic=True)
    transforms = dry.proto_pipeline.components.transforms.values()
    steps = Counter(transform.spec.urn.removeprefix("beam:transform:") for transform in transforms)
    steps.pop("", None)  # composites
    return {"request": _request(dry), "steps": dict(sorted(steps.items())), "bytes": len(graph), "not done": NOT_DONE}


def _dry_run(inputs: Sequence[str], output: str, settings: Settings, beam_options: Sequence[str]):
    """Beam's description of the job, which it would send."""
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

    from course.pipelines.transforms import make_data_set

    logging.getLogger("apache_beam").setLevel(logging.ERROR)
    dry = [f"--runner={RUNNER}", "--dry_run=True", "--no_auth", f"--job_name={NAME}", *beam_options]
    try:
        pipeline = beam.Pipeline(options=PipelineOptions(dry))
    except ValueError as error:
        raise CourseError(f"Beam refuses the options of the job: {' '.join(str(error).split())}") from error
    make_data_set(pipeline, inputs, output, settings)
    return pipeline.run().job


def _request(dry) -> dict:
    """The request's body: name, kind, machines, image, and where the graph is to lie.

    Left out are a number and a time, which differ from call to call, and what the client says of itself.
    """
    from apache_beam.options.pipeline_options import GoogleCloudOptions
    from apache_beam.runners.dataflow.internal import apiclient

    cloud = dry.options.view_as(GoogleCloudOptions)
    dry.proto.environment = apiclient.Environment(
        packages=[],
        options=dry.options,
        environment_version=apiclient._FNAPI_ENVIRONMENT_MAJOR_VERSION,
        proto_pipeline_staged_url=f"{cloud.staging_location}/pipeline.pb",
        proto_pipeline=dry.proto_pipeline,
    ).proto
    body = json.loads(re.sub(rf"({NAME})\.\d+\.\d+", r"\1", dry.json()))
    body.pop("clientRequestId")
    said = body["environment"].pop("sdkPipelineOptions")["options"]
    for pool in body["environment"]["workerPools"]:
        for container in pool["sdkHarnessContainerImages"]:
            del container["capabilities"], container["environmentId"]
    return body | {"location": said["region"], "projectId": said["project"], "pipelineUrl": said["pipelineUrl"]}
