"""The places where workers find submissions and leave results: a shared folder, and an object store."""

import pytest
from moto.server import ThreadedMotoServer

from autograder.grading import failure
from autograder.scale.store import open_store
from course.errors import CourseError


@pytest.fixture(scope="module")
def bucket(tmp_path_factory):
    """A bucket of a simulated S3 on loopback, which Beam's file system finds through the environment."""
    import boto3

    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        boto3.client("s3").create_bucket(Bucket="class")
        yield "s3://class"
    server.stop()


@pytest.fixture(params=["folder", "bucket"])
def place(request, tmp_path):
    """The place of an empty store."""
    if request.param == "folder":
        return str(tmp_path / "class")
    return f"{request.getfixturevalue('bucket')}/{tmp_path.name}"


@pytest.fixture
def failed(assignment):
    return lambda student: failure(assignment, student, b"content", "the machine stopped")


def test_what_is_put_is_found(place, element_of, failed):
    store, element = open_store(place), element_of("chloe <b>&", b"content")
    assert store.result(element) is None
    assert store.present([element]) == []
    store.put(element, failed("chloe <b>&"))
    assert store.result(element) == failed("chloe <b>&")
    assert store.present([element, element_of("ada", b"content")]) == [element]
    store.put(element, failed("chloe <b>&"))
    assert open_store(place).result(element) == failed("chloe <b>&")


def test_a_failure_of_the_grading_is_no_verdict_and_can_be_forgotten(place, element_of, failed):
    store, element = open_store(place), element_of("ada", b"content")
    store.forget(element)
    store.put(element, failed("ada"))
    assert store.verdict(element) is None
    store.forget(element)
    assert store.present([element]) == []


def test_another_students_result_is_not_taken(place, element_of, failed):
    store, element = open_store(place), element_of("ada", b"content")
    store.put(element, failed("ben"))
    assert store.result(element) is None


def test_submissions_come_back_as_they_were_offered(place, element_of):
    store, content = open_store(place), bytes(range(256))
    for _ in range(2):
        store.offer(content)
    assert store.submission(element_of("ada", content)) == content
    with pytest.raises(CourseError, match="--store"):
        store.submission(element_of("ada", b"never offered"))


def test_workers_that_share_no_file_system_grade_through_a_bucket(
    grader, jobs_of, expected, contents, timeless, bucket
):
    handed = {student: contents[student] for student in ("ada", "emeka", "ida")}
    found = {job.student: timeless(result) for job, result in grader("direct", store=f"{bucket}/run")(jobs_of(handed))}
    assert found == {student: expected[student] for student in handed}
