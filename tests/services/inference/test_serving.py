"""Behind uvicorn on loopback: streams, clients that go or dawdle, and an end in the right order."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

CHAT, SPEECH = "/v1/chat/completions", "/v1/audio/transcriptions"
KIT = Path(__file__).parents[3]


def connect(address: str) -> socket.socket:
    url = httpx.URL(address)
    return socket.create_connection((url.host, url.port), timeout=30)


def head(path: str, length: int, more: str = "") -> bytes:
    kind = "Content-Type: application/json"
    return f"POST {path} HTTP/1.1\r\nHost: x\r\n{kind}\r\nContent-Length: {length}\r\n{more}\r\n".encode()


def everything(connection: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    got = b""
    while chunk := connection.recv(65536):
        got += chunk
    return got


def answered(got: bytes) -> tuple[int, dict]:
    start, _, body = got.partition(b"\r\n\r\n")
    return int(start.split()[1]), json.loads(body)


def test_text_arrives_while_it_is_made(service, asked, come_true):
    """The first event is read while the engine is held before the second."""
    one = service()

    def begin(jobs):
        one.chat.free.clear()
        one.chat.taken += jobs
        return [5 for _ in jobs]

    one.chat.begin = begin
    with (
        one.serving() as (address, _),
        httpx.stream("POST", address + CHAT, json=asked(stream=True, max_tokens=3), timeout=30) as answer,
    ):
        lines = answer.iter_lines()
        first = next(lines)
        assert json.loads(first.removeprefix("data: "))["choices"][0]["delta"]["content"]
        assert not one.chat.free.is_set()
        one.chat.free.set()
        assert list(lines)[-2:] == ["data: [DONE]", ""]


@pytest.mark.parametrize("stream", [True, False])
def test_when_a_client_goes_its_work_stops(service, asked, come_true, stream):
    one = service()
    with one.serving() as (address, _):
        if stream:
            one.chat.begin = lambda jobs: one.chat.taken.extend(jobs) or one.chat.free.clear() or [5 for _ in jobs]
        else:
            one.chat.free.clear()
        body = json.dumps(asked(stream=stream, max_tokens=200)).encode()
        connection = connect(address)
        connection.sendall(head(CHAT, len(body)) + body)
        if stream:
            heard = b""
            while b"chat.completion.chunk" not in heard:  # the head may come in a piece of its own
                piece = connection.recv(65536)
                assert piece, heard
                heard += piece
        else:
            come_true.blocking(lambda: one.models.chat.runner.active == 1)
        connection.close()
        come_true.blocking(lambda: one.entries)
        one.chat.free.set()
        come_true.blocking(lambda: one.models.chat.runner.active == 0 and not one.chat.taken)
    (entry,) = one.entries
    assert entry["jsonPayload"]["problem"] == "client_gone" and entry["severity"] == "NOTICE"
    assert entry["httpRequest"]["status"] == 499
    assert entry["jsonPayload"]["completion_tokens"] <= 3 and entry["jsonPayload"]["finish_reason"] is None
    assert len(one.chat.sizes) <= 2
    assert one.number("inference_requests_total", route=CHAT, status="499") == 1


def test_a_client_that_goes_while_it_waits_leaves_the_line(service, asked, come_true):
    one = service()
    one.chat.slots = 1
    with one.serving() as (address, _):
        one.chat.free.clear()
        body = json.dumps(asked()).encode()
        connections = [connect(address) for _ in range(2)]
        for number, connection in enumerate(connections):
            connection.sendall(head(CHAT, len(body)) + body)
            come_true.blocking(
                lambda n=number: one.models.chat.runner.active + len(one.models.chat.runner.line) == n + 1
            )
        connections[1].close()
        come_true.blocking(lambda: len(one.models.chat.runner.line) == 0)
        one.chat.free.set()
        assert b"200 OK" in connections[0].recv(100)
        connections[0].close()


def test_a_client_that_goes_while_it_sends_is_noted(service, come_true):
    one = service()
    with one.serving() as (address, _):
        connection = connect(address)
        connection.sendall(head(CHAT, 1000) + b'{"model":')
        time.sleep(0.05)
        connection.close()
        come_true.blocking(lambda: one.entries)
    assert one.entries[0]["jsonPayload"]["problem"] == "client_gone"


def test_a_client_that_dawdles_is_told_so_and_holds_nobody_up(service, asked, upload):
    one = service(body_seconds=0.3, max_recordings=1)
    with one.serving() as (address, _), httpx.Client(base_url=address, timeout=30) as client:
        slow = connect(address)
        slow.sendall(head(CHAT, 1000) + b'{"model":')
        assert client.post(CHAT, json=asked()).status_code == 200
        status, body = answered(everything(slow))
        assert status == 408 and body["error"]["code"] == "slow_client"
        form = head(SPEECH, 5000).replace(b"application/json", b"multipart/form-data; boundary=x")
        slow = connect(address)
        slow.sendall(form + b"--x\r\n")
        assert answered(everything(slow))[0] == 408
        assert client.post(SPEECH, **upload()).status_code == 200  # the place is free again


def test_a_connection_without_a_request_is_closed_and_one_that_asks_again_is_not(service, asked):
    one = service(head_seconds=0.3)
    with one.serving() as (address, _), httpx.Client(base_url=address, timeout=30) as client:
        silent, slow = connect(address), connect(address)
        slow.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n")
        assert everything(silent) == everything(slow) == b""
        one.chat.seconds = 0.05
        assert client.post(CHAT, json=asked(max_tokens=12)).status_code == 200  # longer than the limit, and not cut
        kept = connect(address)
        for _ in range(2):
            kept.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            got = b""
            while not got.endswith(b'{"status":"ok"}'):
                got += kept.recv(65536)
        kept.sendall(b"GET /healthz HTT")
        assert everything(kept) == b""


def test_a_client_that_does_not_read_gets_everything_in_the_end(service, asked):
    one = service(max_answer_tokens=200)
    with one.serving() as (address, _):
        one.chat.step = lambda jobs: [7 for _ in jobs]
        body = json.dumps(asked(stream=True)).encode()
        lazy = connect(address)
        lazy.sendall(head(CHAT, len(body), "Connection: close\r\n") + body)
        with httpx.Client(base_url=address, timeout=30) as client:
            assert client.post(CHAT, json=asked()).status_code == 200
        assert everything(lazy).count(b"data: ") == 200 + 2


def test_a_body_that_is_too_large_is_refused_before_it_is_sent(service):
    """A client that asks first, as curl does, sends nothing of it; one that does not ask can still read the answer."""
    one = service(max_json_bytes=1000)
    with one.serving() as (address, _):
        polite = connect(address)
        polite.sendall(head(CHAT, 50_000_000, "Expect: 100-continue\r\n"))
        polite.shutdown(socket.SHUT_WR)
        got = everything(polite)
        assert b"100 Continue" not in got and answered(got)[0] == 413
        with httpx.Client(base_url=address, timeout=30) as client:
            answer = client.post(CHAT, content=b" " * 20_000_000, headers={"content-type": "application/json"})
            assert answer.status_code == 413 and answer.json()["error"]["code"] == "body_too_large"
            assert client.get("/healthz").status_code == 200


def test_a_body_without_an_announced_length_is_cut_off(service):
    one = service(max_json_bytes=1000)
    with one.serving() as (address, _), httpx.Client(base_url=address, timeout=30) as client:
        sent = []

        def chunks():
            for number in range(400):
                sent.append(number)
                yield b" " * 5000

        answer = client.post(CHAT, content=chunks(), headers={"content-type": "application/json"})
        assert answer.status_code == 413


def test_at_the_end_what_was_begun_is_finished_and_what_is_new_is_sent_away(service, asked, come_true):
    one = service(drain_delay=0.3)
    with one.serving() as (address, server), httpx.Client(base_url=address, timeout=30) as client:
        one.chat.free.clear()
        answers = []
        caller = threading.Thread(target=lambda: answers.append(httpx.post(address + CHAT, json=asked(), timeout=30)))
        caller.start()
        come_true.blocking(lambda: one.models.chat.runner.active == 1)
        server.stop()
        ready, refused = client.get("/readyz"), client.post(CHAT, json=asked())
        assert ready.status_code == 503 and ready.json()["ready"] is False
        assert refused.status_code == 503 and refused.json()["error"]["code"] == "shutting_down"
        assert refused.headers["connection"] == "close"
        come_true.blocking(lambda: server.should_exit)
        one.chat.free.set()
        caller.join(30)
        assert answers[0].status_code == 200
    events = [json.loads(line)["jsonPayload"]["event"] for line in one.written.getvalue().splitlines()]
    assert events[-1] == "ended"
    with pytest.raises(httpx.ConnectError):
        httpx.get(address + "/healthz", timeout=5)


def test_what_is_not_done_when_the_time_to_drain_is_over_is_told_so(service, asked, come_true):
    one = service(drain_seconds=1)
    with one.serving() as (address, server):
        one.chat.free.clear()
        answers = []
        caller = threading.Thread(target=lambda: answers.append(httpx.post(address + CHAT, json=asked(), timeout=30)))
        caller.start()
        come_true.blocking(lambda: one.models.chat.runner.active == 1)
        server.stop()
        caller.join(30)
    assert answers[0].status_code == 503 and answers[0].json()["error"]["code"] == "shutting_down"
    assert one.entries[-1]["jsonPayload"]["problem"] == "shutting_down" and one.entries[-1]["severity"] == "ERROR"


def command(*arguments, **environment) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "services.inference", *arguments],
        cwd=KIT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_the_command_serves_until_a_signal_and_ends_well(asked, sent):
    process = command("--engine", "fake", "--port", "0")
    try:
        address = process.stderr.readline().split()[5].rstrip(";")
        entries = []
        while not entries or entries[-1]["jsonPayload"].get("model") != "fake-speech":
            entries.append(json.loads(process.stdout.readline()))
        answer = httpx.post(address + CHAT, json=asked(), timeout=30)
        assert answer.status_code == 200
        process.send_signal(sent)
        rest, complaints = process.communicate(timeout=30)
    finally:
        process.kill()
    events = [json.loads(line)["jsonPayload"]["event"] for line in rest.splitlines()]
    assert process.returncode == 0 and events == ["chat.completion", "ended"] and complaints == ""


def test_a_wrong_setting_and_a_taken_port_are_one_sentence():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        runs = [
            (command("--port", port), f"cannot listen on 127.0.0.1, port {port}"),
            (command(INFERENCE_MAX_BATCHES="4"), "Is INFERENCE_MAX_BATCH meant?"),
            (command(INFERENCE_MAX_WAIT="nan"), "INFERENCE_MAX_WAIT='nan' cannot be"),
        ]
        for process, sentence in runs:
            _, complaint = process.communicate(timeout=60)
            assert process.returncode == 1 and sentence in complaint and "Traceback" not in complaint
