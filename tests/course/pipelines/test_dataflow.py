"""The job for Dataflow: what the request says, that it is the pipeline that runs here, and what is refused at once."""

import json
import socket

import pytest
from click.testing import CliRunner

from course.errors import CourseError
from course.pipelines import dataflow
from course.pipelines.command import pipelines
from course.pipelines.stages import Settings

WHERE = {
    "project": "a-project",
    "region": "europe-west1",
    "bucket": "gs://a-bucket",
    "image": "europe-docker.pkg.dev/a-project/course/pipelines:1",
}
INPUTS, OUTPUT = ["gs://a-bucket/raw/calls-0.jsonl"], "gs://a-bucket/out"


def _no_network(*arguments):
    raise AssertionError(f"the network was asked for {arguments}")


@pytest.fixture(scope="module")
def shown() -> tuple[dict, str]:
    """What the command prints: the job, and the line that would start it."""
    words = ["job", "--input", *INPUTS, "--output", OUTPUT, "--workers", "7"]
    words += [word for name, value in WHERE.items() for word in (f"--{name}", value)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", _no_network)
        patch.setattr(socket, "getaddrinfo", _no_network)
        done = CliRunner().invoke(pipelines, words)
    assert done.exit_code == 0, done.output
    made, end = json.JSONDecoder().raw_decode(done.output)
    return made, done.output[end:]


def test_the_request_names_machines_image_and_places(shown):
    request = shown[0]["request"]
    (pool,) = request["environment"]["workerPools"]
    assert pool["autoscalingSettings"]["maxNumWorkers"] == 7
    assert [one["containerImage"] for one in pool["sdkHarnessContainerImages"]] == [WHERE["image"]]
    assert (request["projectId"], request["location"], request["type"]) == (
        "a-project",
        "europe-west1",
        "JOB_TYPE_BATCH",
    )
    assert request["pipelineUrl"].startswith("gs://a-bucket/staging/") and request["name"] == dataflow.NAME


def test_the_graph_is_that_of_the_pipeline_which_runs_here(shown):
    import apache_beam as beam

    from course.pipelines.transforms import make_data_set

    here = beam.Pipeline()
    make_data_set(here, INPUTS, OUTPUT, Settings())
    urns = [one.spec.urn for one in here.to_runner_api().components.transforms.values()]
    for name in ("group_by_key:v1", "pardo:v1", "flatten:v1"):
        assert shown[0]["steps"][name] == urns.count(f"beam:transform:{name}") > 0
    assert shown[0]["bytes"] > 10_000


def test_what_was_not_done_is_said_with_the_line_that_does_it(shown):
    made, rest = shown
    assert "no job was started" in made["not done"] and "no job was started" in rest
    line = rest.strip().splitlines()[-1]
    assert line.startswith("course pipelines run --runner DataflowRunner --input gs://a-bucket/raw")
    assert line.split(" -- ")[1].split() == dataflow.options(**WHERE, workers=7)


@pytest.mark.parametrize(("inputs", "output"), [(["raw.jsonl"], OUTPUT), (INPUTS, "out"), (INPUTS, "s3://x/y")])
def test_paths_that_workers_could_not_reach_are_refused(inputs, output):
    with pytest.raises(CourseError, match="start with gs://"):
        dataflow.job(inputs, output, Settings(), **WHERE)


@pytest.mark.parametrize(
    "bad", [{"bucket": "a-bucket"}, {"bucket": "gs://b"}, {"bucket": "gs://a b/c"}, {"workers": 0}]
)
def test_buckets_that_are_none_are_refused(bad):
    with pytest.raises(CourseError, match="gs://NAME"):
        dataflow.options(**{"workers": 1} | WHERE | bad)
