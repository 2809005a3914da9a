"""Each bad input of the contract has its status, its code and a sentence; nothing is lost on the way."""

import json

import pytest

from course.errors import CourseError

pytestmark = pytest.mark.anyio
CHAT, SPEECH = "/v1/chat/completions", "/v1/audio/transcriptions"
JSON = {"content-type": "application/json"}


def problem(answer, status: int, code: str, param: str | None = None) -> dict:
    """The error of an answer, which has OpenAI's shape."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json" and answer.headers["x-request-id"]
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert (error["code"], error["param"]) == (code, param)
    assert len(error["message"]) > 20
    return error


CHAT_PROBLEMS = [
    ({"messages": []}, "invalid_request", "messages"),
    ({"messages": [{"role": "user", "content": " \n\t"}]}, "empty_prompt", "messages"),
    ({"messages": [{"role": "user", "content": ""}]}, "empty_prompt", "messages"),
    ({"messages": [{"role": "user", "content": "refused"}]}, "invalid_request", "messages"),
    ({"messages": [{"role": "tool", "content": "x"}]}, "invalid_request", "messages.0.role"),
    ({"messages": [{"role": "user", "content": 3}]}, "invalid_request", "messages.0.content"),
    ({"messages": [{"role": "user", "content": None}]}, "invalid_request", "messages.0.content"),
    ({"messages": [{"role": "user"}]}, "invalid_request", "messages.0.content"),
    ({"messages": [{"role": "user", "content": "a " * 600}]}, "context_length_exceeded", "messages"),
    ({"messages": "hello"}, "invalid_request", "messages"),
    ({"temperature": -0.1}, "invalid_request", "temperature"),
    ({"temperature": 2.1}, "invalid_request", "temperature"),
    ({"temperature": "1"}, "invalid_request", "temperature"),
    ({"top_p": 0}, "invalid_request", "top_p"),
    ({"max_tokens": 0}, "invalid_request", "max_tokens"),
    ({"max_tokens": 1.5}, "invalid_request", "max_tokens"),
    ({"stop": ["a"] * 5}, "invalid_request", "stop.list[constrained-str]"),
    ({"n": 2}, "invalid_request", "n"),
    ({"stream": "yes"}, "invalid_request", "stream"),
    ({"frequency_penalty": 1}, "invalid_request", "frequency_penalty"),
]


@pytest.mark.parametrize(
    "changed, code, param", CHAT_PROBLEMS, ids=[str(number) for number in range(len(CHAT_PROBLEMS))]
)
async def test_a_chat_request_that_is_wrong_is_told_so(service, asked, changed, code, param):
    one = service(max_prompt_tokens=500)
    async with one.client() as client:
        answer = await client.post(CHAT, json=asked() | changed)
        error = problem(answer, 400, code, answer.json()["error"]["param"])
        assert error["param"].startswith(param.partition(".list")[0])
        assert (await client.post(CHAT, json=asked())).status_code == 200
    assert all(size == 1 for size in one.chat.sizes)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[1, 2", b'{"model": NaN}', b"\xff\xfe", b"[" * 100_000, b'{"a": ' + b"9" * 5000 + b"}", b'"\\ud800"'],
    ids=["empty", "cut", "list", "nan", "utf8", "deep", "digits", "surrogate"],
)
async def test_a_body_that_is_no_json_is_told_so(service, body):
    async with service().client() as client:
        answer = await client.post(CHAT, content=body, headers=JSON)
    assert answer.status_code == 400 and answer.json()["error"]["code"] in ("invalid_json", "invalid_request")


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999"])
async def test_what_is_no_number_is_refused_and_never_sent_back(service, value):
    body = f'{{"model": "fake-chat", "messages": [{{"role": "user", "content": "x"}}], "temperature": {value}}}'
    async with service().client() as client:
        answer = await client.post(CHAT, content=body, headers=JSON)
    problem(answer, 400, "invalid_request", "temperature")
    assert "NaN" not in answer.text and "Infinity" not in answer.text


async def test_text_with_half_a_letter_is_refused(service):
    body = b'{"model": "fake-chat", "messages": [{"role": "user", "content": "\\ud800"}]}'
    async with service().client() as client:
        problem(await client.post(CHAT, content=body, headers=JSON), 400, "invalid_request", "messages.0.content")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
async def test_a_body_of_another_type_is_told_so(service, asked, kind):
    async with service().client() as client:
        answer = await client.post(CHAT, content=json.dumps(asked()), headers={"content-type": kind})
        problem(answer, 415, "unsupported_media_type")
        problem(await client.post(SPEECH, json=asked()), 415, "unsupported_media_type")


async def test_routes_methods_and_models_that_are_not_there(service, asked, upload):
    async with service().client() as client:
        problem(await client.get("/v1/nothing"), 404, "not_found")
        problem(await client.post(CHAT + "/", json=asked()), 404, "not_found")
        wrong = await client.get(CHAT)
        problem(wrong, 405, "method_not_allowed")
        assert wrong.headers["allow"] == "POST"
        problem(await client.post(CHAT, json=asked(model="gpt-7")), 404, "model_not_found", "model")
        problem(await client.post(CHAT, json=asked(model="fake-speech")), 404, "model_not_found", "model")
        problem(await client.post(SPEECH, **upload(model="whisper-1")), 404, "model_not_found", "model")
        problem(await client.get("/v1/models/x"), 404, "model_not_found", "model")


@pytest.mark.parametrize("header", ["X-Conversation-Id", "X-Parent-Id"])
@pytest.mark.parametrize("value", ["a b", "x" * 129, "é".encode(), "a/../b"])
async def test_an_id_that_is_none_is_refused(service, asked, header, value):
    async with service().client() as client:
        answer = await client.post(CHAT, json=asked(), headers={header: value})
    problem(answer, 400, "invalid_request", header)


async def test_recordings_that_cannot_be_taken(service, upload, sound):
    async with service(max_audio_seconds=10).client() as client:
        problem(await client.post(SPEECH, **upload(b"no sound at all")), 400, "corrupt_audio", "file")
        problem(await client.post(SPEECH, **upload(b"")), 400, "corrupt_audio", "file")
        problem(await client.post(SPEECH, **upload(sound(0))), 400, "empty_audio", "file")
        long = problem(await client.post(SPEECH, **upload(sound(11))), 413, "audio_too_long", "file")
        assert "10 s" in long["message"] and "11 s" in long["message"]
        wrong = await client.post(SPEECH, **upload(response_format="srt"))
        problem(wrong, 400, "invalid_request", "response_format")
        problem(await client.post(SPEECH, files={"file": ("a", sound())}), 400, "invalid_request", "model")
        problem(await client.post(SPEECH, **upload(language="de")), 400, "invalid_request", "language")
        assert (await client.post(SPEECH, **upload(sound(9)))).status_code == 200


async def test_two_hours_of_telephone_speech_do_not_get_in(service, upload, sound):
    """As mu-law they are 57.6 MB, refused by the announced length; squeezed, they are refused by their header."""
    from services.inference.settings import Settings

    one = service()
    async with one.client() as client:
        head = {"content-length": "57600158", "content-type": "multipart/form-data; boundary=x"}
        answer = await client.post(SPEECH, content=b"", headers=head)
        problem(answer, 413, "body_too_large")
        squeezed = sound(7200, 2000, "FLAC")
        assert len(squeezed) < Settings().max_upload_bytes
        problem(await client.post(SPEECH, **upload(squeezed)), 413, "audio_too_long", "file")
    assert one.speech.pieces == 0


async def test_a_body_is_refused_by_its_length_and_while_it_arrives(service, asked):
    one = service(max_json_bytes=5000)
    async with one.client() as client:
        answer = await client.post(CHAT, json=asked("x" * 5000))
        problem(answer, 413, "body_too_large")
        assert answer.headers["connection"] == "close"

        async def some():
            for _ in range(20):
                yield b" " * 1000

        problem(await client.post(CHAT, content=some(), headers=JSON), 413, "body_too_large")
        assert (await client.post(CHAT, json=asked("x" * 4000))).status_code == 200


async def test_formats_of_a_transcript(service, upload, sound):
    async with service().client() as client:
        plain = await client.post(SPEECH, **upload(sound(12), response_format="text"))
        assert plain.text == "10.0 seconds, level 0.354. 2.0 seconds, level 0.354.\n"
        whole = (await client.post(SPEECH, **upload(sound(12), response_format="verbose_json"))).json()
        assert whole["duration"] == 12.0 and whole["text"] == plain.text.strip()


class Missing:
    """What a model is that is not on this machine."""

    def load(self):
        raise CourseError("The model is not on this machine. Fetch it with 'course models pull'.")


async def test_a_model_that_is_missing_stops_no_other(service, asked, upload):
    one = service()
    one.chat.load = Missing().load
    async with one.client() as client:
        error = problem(await client.post(CHAT, json=asked()), 503, "model_missing")
        assert "course models pull" in error["message"] and error["type"] == "server_error"
        assert (await client.post(SPEECH, **upload())).status_code == 200
        ready = await client.get("/readyz")
        assert ready.status_code == 503 and "pull" in ready.json()["models"]["fake-chat"]
        assert (await client.get("/healthz")).status_code == 200
    assert one.number("inference_ready", model="fake-speech") == 1.0


async def test_a_model_that_breaks_while_it_is_loaded_is_missing_and_logged(service, asked):
    one = service()

    def load():
        raise MemoryError("no room")

    one.chat.load = load
    async with one.client() as client:
        error = problem(await client.post(CHAT, json=asked()), 503, "model_missing")
    assert "log" in error["message"] and "no room" in one.written.getvalue()


async def test_while_a_model_is_loaded_callers_are_told_to_come_back(service, asked, come_true):
    import httpx

    one = service()
    one.chat.load = lambda: one.chat.free.wait(30)
    one.chat.free.clear()
    async with one.app.router.lifespan_context(one.app):
        transport = httpx.ASGITransport(one.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            answer = await client.post(CHAT, json=asked())
            problem(answer, 503, "model_loading")
            assert answer.headers["retry-after"] == "2"
            one.chat.free.set()
            await come_true(lambda: one.models.chat.state == "ready")
            assert (await client.post(CHAT, json=asked())).status_code == 200


async def test_a_bug_is_an_answer_too_and_its_trace_is_in_the_log(service, asked):
    one = service()
    one.chat.encode = lambda messages: {}["a secret"]
    async with one.client() as client:
        answer = await client.post(CHAT, json=asked(), headers={"X-Request-Id": "my-request"})
    error = problem(answer, 500, "internal_error")
    assert "my-request" in error["message"] and "a secret" not in error["message"]
    assert "KeyError" in one.written.getvalue()


async def test_a_stream_is_the_answer_in_pieces(service, asked):
    one = service()
    async with one.client() as client:
        whole = (await client.post(CHAT, json=asked(max_tokens=7))).json()
        options = {"stream": True, "stream_options": {"include_usage": True}}
        answer = await client.post(CHAT, json=asked(max_tokens=7, **options))
    assert answer.headers["content-type"].startswith("text/event-stream")
    *lines, done = answer.text.strip().split("\n\n")
    assert done == "data: [DONE]"
    chunks = [json.loads(line.removeprefix("data: ")) for line in lines]
    content = "".join(choice["delta"].get("content", "") for chunk in chunks for choice in chunk["choices"])
    assert content == whole["choices"][0]["message"]["content"]
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    reasons = [choice["finish_reason"] for chunk in chunks for choice in chunk["choices"]]
    assert reasons == [None] * (len(chunks) - 2) + ["length"]
    assert chunks[-1]["usage"] == whole["usage"] == {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
    assert len({chunk["id"] for chunk in chunks}) == 1


async def test_a_failure_before_the_first_text_still_has_its_status(service, asked):
    async with service().client() as client:
        problem(await client.post(CHAT, json=asked("poison", stream=True)), 500, "engine_failed")


async def test_stop_texts_and_limits_end_an_answer(service, asked):
    async with service(max_answer_tokens=6).client() as client:
        long = (await client.post(CHAT, json=asked(max_tokens=500))).json()
        assert long["usage"]["completion_tokens"] == 6 and long["choices"][0]["finish_reason"] == "length"
        words = long["choices"][0]["message"]["content"].split()
        cut = (await client.post(CHAT, json=asked(stop=[words[2], ""]))).json()
        newer = (await client.post(CHAT, json=asked(max_completion_tokens=2, max_tokens=5))).json()
    assert cut["choices"][0]["finish_reason"] == "stop"
    assert cut["choices"][0]["message"]["content"].split() == words[: words.index(words[2])]
    assert newer["usage"]["completion_tokens"] == 2


async def test_chance_is_only_where_it_is_asked_for(service, asked):
    async with service().client() as client:

        async def text(**more):
            answer = await client.post(CHAT, json=asked(max_tokens=9, **more))
            return answer.json()["choices"][0]["message"]["content"]

        assert await text() == await text(seed=5)
        assert await text(temperature=1.0, seed=5) == await text(temperature=1.0, seed=5)
        assert await text(temperature=1.0, seed=5) != await text(temperature=1.0, seed=6)
        assert len({await text(temperature=1.0) for _ in range(4)}) > 1
