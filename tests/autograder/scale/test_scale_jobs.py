"""Jobs for engines that do not start here, built as far as they are sent: what they carry, and to which workers."""

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import FlinkRunnerOptions, PipelineOptions
from apache_beam.portability import common_urns
from apache_beam.portability.api import beam_runner_api_pb2
from apache_beam.runners.portability.portable_runner import PortableRunner
from apache_beam.runners.runner import create_runner

from autograder.scale.pipeline import grade_elements
from autograder.scale.plan import Element

FLINK = ["--flink_master=flink.example:8081", "--flink_version=1.20", "--parallelism=64"]
POOL = ["--environment_type=EXTERNAL", "--environment_config=localhost:50000"]
IMAGE = "registry.example/course-grader:1"
DATAFLOW = ["--project=class", "--region=europe-west1", f"--sdk_container_image={IMAGE}", "--dry_run=True"]


@pytest.fixture
def elements():
    return [Element("small-lab", f"student-{n}", f"{n:064x}", f"{n:064x}", ("a note",)) for n in range(50)]


@pytest.fixture
def pipeline_for(plan, elements):
    """Build the pipeline with the options of an engine."""

    def build(*options):
        pipeline = beam.Pipeline(options=PipelineOptions(list(options)))
        grade_elements(pipeline, plan, elements)
        return pipeline

    return build


def grading_environment(job):
    """The environment in which a job has its submissions graded."""
    (step,) = [one for name, one in job.components.transforms.items() if one.unique_name.endswith("Grade")]
    return job.components.environments[step.environment_id]


def test_a_flink_job_sends_its_submissions_to_the_pool(pipeline_for, elements):
    pipeline = pipeline_for("--runner=FlinkRunner", *FLINK, *POOL)
    assert type(create_runner("FlinkRunner")).__name__ == "FlinkRunner"
    options = pipeline.options.view_as(FlinkRunnerOptions)
    assert (options.flink_master, options.flink_version) == ("flink.example:8081", "1.20")
    job = PortableRunner.get_proto_pipeline(pipeline, pipeline.options)
    environment = grading_environment(job)
    assert environment.urn == common_urns.environments.EXTERNAL.urn
    payload = beam_runner_api_pb2.ExternalPayload.FromString(environment.payload)
    assert payload.endpoint.url == "localhost:50000"
    steps = {one.spec.urn for one in job.components.transforms.values()}
    assert common_urns.composites.RESHUFFLE.urn in steps
    assert len(job.SerializeToString()) < 1000 * len(elements)


def test_a_dataflow_job_names_the_image_of_its_workers(pipeline_for):
    result = pipeline_for("--runner=DataflowRunner", *DATAFLOW, "--temp_location=gs://class/temp").run()
    environment = grading_environment(result.job.proto_pipeline)
    payload = beam_runner_api_pb2.DockerPayload.FromString(environment.payload)
    assert payload.container_image == IMAGE
