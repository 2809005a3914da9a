"""Load on a service that this test makes up, whose delays are known, and on the real one with a fake engine."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from course.capacity.following import answered, spans
from course.capacity.load import load, question, steps
from course.errors import CourseError
from course.serving.process import started


class Made(BaseHTTPRequestHandler):
    """Answers every second chat, and says that three are inside."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        """Keeps the test's output for failures."""

    def do_GET(self):
        if self.path == "/metrics":
            waiting = (
                'inference_waiting{model="m"} 2.0\ninference_active{model="m"} 1.0\ninference_ready{model="m"} 1.0\n'
            )
            self.say(200, waiting.encode())
        else:
            self.say(200, json.dumps({"data": [{"id": "m"}, {"id": "s"}]}).encode())

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((time.perf_counter(), asked))
        number = int(asked["messages"][0]["content"].split()[3])
        time.sleep(0.2)
        if number % 2:
            self.say(429, b'{"error": {"code": "queue_full"}}')
        else:
            answer = {"usage": {"completion_tokens": 5}, "choices": [{"finish_reason": "stop"}]}
            self.say(200, json.dumps(answer).encode())

    def say(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def made():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Made)
    server.asked = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_requests_are_sent_when_they_are_due_whoever_still_waits(made):
    due = [0.0, 0.02, 0.04, 0.3]
    found = load(f"http://127.0.0.1:{made.server_port}", due, limit=7, look_every=0.05)
    assert found.statuses.tolist() == [200, 429, 200, 429] and found.tokens.tolist() == [6, 0, 6, 0]
    assert np.all(found.arrived >= due) and np.all(found.latencies >= 0.2)
    assert found.arrived[2] < found.ended[0]  # the third came although the first was not answered
    assert set(found.inside.tolist()) == {3.0}
    assert [asked["max_tokens"] for _, asked in made.asked] == [7] * 4
    assert found.tokens_per_second == pytest.approx(12 / (found.ended.max() - found.arrived.min()))


def test_a_real_service_with_a_fake_engine_writes_what_its_log_says():
    with started(max_batch=2, fake_seconds=0.001) as service:
        found = load(service.url, [0.0, 0.0, 0.05], limit=6)
        again = load(service.url, [0.0, 0.0, 0.0], limit=6)
        payloads = answered(service.entries(requests=6))
    assert found.statuses.tolist() == [200] * 3 and found.tokens.tolist() == again.tokens.tolist()
    assert sorted(one["completion_tokens"] + (one["finish_reason"] == "stop") for one in payloads) == sorted(
        [*found.tokens, *again.tokens]
    )
    for payload in payloads:
        assert sum(span.seconds for span in spans(payload)) == pytest.approx(payload["seconds"])


def test_nobody_there():
    with pytest.raises(CourseError, match="No inference service answers at http://127.0.0.1:9"):
        load("http://127.0.0.1:9", [0.0], 4)


def test_steps_of_an_answer_and_of_a_refusal():
    answer = {"usage": {"completion_tokens": 4}, "choices": [{"finish_reason": "length"}]}
    assert steps(answer) == 4 and steps({"error": {}}) == 0
    assert question("m", 1, 9) != question("m", 2, 9) and question("m", 3, 9) == question("m", 3, 9)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: load("http://x", [], 4), "At least one arrival"),
        (lambda: load("http://x", [1.0, 0.0], 4), "Sort them"),
        (lambda: load("http://x", [0.0], 0), "tokens"),
        (lambda: load("http://x", [0.0], 4, look_every=0), "two looks"),
    ],
    ids=range(4),
)
def test_what_cannot_be_is_refused_with_a_sentence(call, said):
    with pytest.raises(ValueError, match=said):
        call()
