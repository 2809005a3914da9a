"""The service as a process: it answers, its logs can be read, it ends politely, and says what is wrong."""

import json
import signal
import urllib.request

import psutil
import pytest

from course.errors import CourseError
from course.serving.process import started


@pytest.fixture(scope="module")
def service():
    with started(log_texts=True, project="serving-tests") as service:
        yield service


def answer(service, path, body=None):
    request = urllib.request.Request(service.url + path, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)


def test_it_answers_and_its_logs_are_read(service):
    assert answer(service, "/readyz")["ready"]
    body = {"model": "fake-chat", "messages": [{"role": "user", "content": "Hello."}], "max_tokens": 2}
    said = answer(service, "/v1/chat/completions", json.dumps(body).encode())["choices"][0]["message"]["content"]
    logged = [entry["jsonPayload"] for entry in service.entries(requests=1) if "httpRequest" in entry]
    assert [(one["question"], one["answer"]) for one in logged] == [("Hello.", said)]
    assert service.entries()[0]["logName"] == "projects/serving-tests/logs/inference"
    assert [json.loads(line) for line in service.lines()] == service.entries()


def test_it_ends_with_status_0_and_says_so():
    service = started()
    number = service.process.pid
    assert service.stop() == 0 and service.stop() == 0
    assert not psutil.pid_exists(number)
    assert service.entries()[-1]["jsonPayload"]["event"] == "ended"


def test_it_ends_with_the_block_even_if_that_fails():
    with pytest.raises(KeyError), started() as service:
        raise KeyError
    assert not service.process.is_running()


def test_one_that_is_killed_leaves_its_logs():
    service = started()
    service.process.kill()
    assert service.stop() == -signal.SIGKILL
    assert service.entries()[0]["jsonPayload"]["event"] == "started"


def test_settings_of_the_surroundings_do_not_reach_it(monkeypatch):
    monkeypatch.setenv("INFERENCE_MAX_BATCH", "3")
    with started(max_queue=7) as service:
        settings = service.entries()[0]["jsonPayload"]["settings"]
        assert (settings["max_batch"], settings["max_queue"]) == (16, 7)


def test_a_wrong_setting_is_told_in_the_words_of_the_service():
    with pytest.raises(CourseError, match="no setting INFERENCE_MAX_BACH. Is INFERENCE_MAX_BATCH meant"):
        started(max_bach=3)
    with pytest.raises(CourseError, match="INFERENCE_MAX_BATCH='0' cannot be"):
        started(max_batch=0)


def test_one_that_does_not_get_ready_is_told_and_ended(monkeypatch):
    before = {child.pid for child in psutil.Process().children()}
    monkeypatch.setattr("course.serving.process.READY_SECONDS", 0.0)
    with pytest.raises(CourseError, match="expected to be ready within 0 s"):
        started()
    assert {child.pid for child in psutil.Process().children()} == before


def test_entries_that_do_not_come_are_not_waited_for_for_ever(monkeypatch, service):
    monkeypatch.setattr("course.serving.process.LOG_SECONDS", 0.0)
    with pytest.raises(CourseError, match="of 99 requests were expected"):
        service.entries(requests=99)
