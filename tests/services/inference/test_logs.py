"""Log entries that the portal can read, one for each request, and numbers for Prometheus."""

import io
import json
import re

import pytest

from services.inference.logs import Log, trace_of

pytestmark = pytest.mark.anyio
CHAT, SPEECH = "/v1/chat/completions", "/v1/audio/transcriptions"
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


async def test_a_request_is_one_entry_with_what_a_tree_needs(service, asked):
    one = service()
    head = {
        "X-Request-Id": "r-1",
        "X-Conversation-Id": "call-7",
        "X-Parent-Id": "chatcmpl-0",
        "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01",
        "user-agent": "test\r",
    }
    async with one.client() as client:
        answer = await client.post(CHAT, json=asked("Why?"), headers=head | {"user-agent": "tests"})
    (entry,) = one.entries
    assert STAMP.fullmatch(entry["timestamp"]) and entry["severity"] == "INFO"
    assert entry["trace"] == f"projects/test-project/traces/{TRACE}" and re.fullmatch("[0-9a-f]{16}", entry["spanId"])
    assert entry["httpRequest"]["status"] == 200 and entry["httpRequest"]["latency"].endswith("s")
    assert entry["httpRequest"]["responseSize"] == str(len(answer.content))
    payload, body = entry["jsonPayload"], answer.json()
    assert payload["event"] == "chat.completion" and payload["request_id"] == "r-1" == answer.headers["x-request-id"]
    assert payload["conversation_id"] == "call-7" == answer.headers["x-conversation-id"]
    assert payload["parent_id"] == "chatcmpl-0" and payload["message_id"] == body["id"]
    assert payload["question"] == "Why?" and payload["answer"] == body["choices"][0]["message"]["content"]
    assert payload["prompt_tokens"] == body["usage"]["prompt_tokens"]
    assert payload["completion_tokens"] == body["usage"]["completion_tokens"]
    assert 0 <= payload["queue_seconds"] <= payload["first_token_seconds"] <= payload["seconds"]


async def test_a_stream_and_a_transcript_are_logged_at_their_end(service, asked, upload):
    one = service()
    async with one.client() as client:
        streamed = await client.post(CHAT, json=asked(stream=True))
        heard = await client.post(SPEECH, **upload())
    first, second = (entry["jsonPayload"] for entry in one.entries)
    assert first["finish_reason"] in ("stop", "length") and first["completion_tokens"] > 0
    assert first["message_id"] in streamed.text
    assert second["event"] == "audio.transcription" and second["audio_seconds"] == 1.0
    assert second["answer"] == heard.json()["text"] and second["message_id"] == heard.headers["x-message-id"]


async def test_texts_are_logged_only_where_that_is_asked_for(service, asked, upload):
    one = service(log_texts=False)
    async with one.client() as client:
        answer = await client.post(CHAT, json=asked("my secret number"))
        await client.post(SPEECH, **upload())
        await client.post(CHAT, json=asked("my secret number", temperature="secret"))
    text = one.written.getvalue()
    assert "secret" not in text and answer.json()["choices"][0]["message"]["content"].strip() not in text
    assert "level" not in text


async def test_every_failure_is_logged_with_its_code_and_severity(service, asked):
    one = service()
    async with one.client() as client:
        await client.get("/nothing?token=secret")
        await client.post(CHAT, json=asked("poison"))
        await client.get("/healthz")
    told = [(entry["severity"], entry["jsonPayload"]["problem"]) for entry in one.entries]
    assert told == [("WARNING", "not_found"), ("ERROR", "engine_failed")]
    assert "secret" not in one.written.getvalue()


async def test_entries_are_told_apart_and_come_in_order(service, asked):
    one = service()
    async with one.client() as client:
        for _ in range(3):
            await client.post(CHAT, json=asked())
    every = [json.loads(line) for line in one.written.getvalue().splitlines()]
    ids = [entry["insertId"] for entry in every]
    assert len(set(ids)) == len(ids) and ids == sorted(ids)
    assert [entry["jsonPayload"]["event"] for entry in (every[0], every[-1])] == ["started", "ended"]


@pytest.mark.parametrize(
    "header", ["", "00-0-0-01", f"00-{'0' * 32}-{'1' * 16}-01", f"00-{TRACE.upper()}-{'1' * 16}-01"]
)
def test_a_trace_that_is_none_is_a_new_one(header):
    (trace, span), (other, _) = trace_of(header), trace_of(header)
    assert trace != other and re.fullmatch("[0-9a-f]{32}", trace) and re.fullmatch("[0-9a-f]{16}", span)


async def test_a_request_id_that_is_none_is_replaced(service):
    async with service().client() as client:
        answer = await client.get("/healthz", headers={"X-Request-Id": 'x"\\{evil}'})
    assert answer.headers["x-request-id"].startswith("req-")


class FullDisk(io.StringIO):
    def write(self, text):
        raise OSError(28, "No space left on device")


async def test_a_disk_that_is_full_loses_entries_counts_them_and_ends_nothing(service, asked):
    one = service()
    log = one.app.state.log
    async with one.client() as client:
        log._stream, log._lost = FullDisk(), one.app.state.metrics.logs_lost.inc
        assert (await client.post(CHAT, json=asked())).status_code == 200
    assert one.number("inference_log_entries_lost_total") >= 1


def test_what_json_cannot_hold_is_lost_and_not_half_written():
    stream, lost = io.StringIO(), []
    log = Log("p", stream, lambda: lost.append(1))
    log.write("INFO", {"value": float("nan")})
    log.write("INFO", {"value": "line\nbreak \u2028 \ud83d\ude42"})
    assert lost == [1] and stream.getvalue().count("\n") == 1 and stream.getvalue().isascii()


async def test_prometheus_can_read_the_numbers(service, asked, upload):
    from prometheus_client.parser import text_string_to_metric_families

    one = service()
    async with one.client() as client:
        await client.post(CHAT, json=asked(max_tokens=4))
        await client.post(SPEECH, **upload())
        await client.get("/v1/models/" + "x" * 50)
        text = (await client.get("/metrics")).text
    samples = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["inference_requests_total", ("route", CHAT), ("status", "200")] == 1
    assert samples["inference_requests_total", ("route", "other"), ("status", "404")] == 1
    assert samples["inference_tokens_total", ("kind", "completion"), ("model", "fake-chat")] == 4
    assert samples["inference_audio_seconds_total", ("model", "fake-speech")] == 1.0
    assert samples["inference_first_token_seconds_count", ("model", "fake-chat")] == 1
    assert "xxxx" not in text
