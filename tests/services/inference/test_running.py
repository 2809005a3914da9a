"""A batch that is joined and left between steps: everybody's own answer, errors that are one's own, work that stops."""

import asyncio

import pytest

from services.inference.running import each_on_its_own

pytestmark = pytest.mark.anyio
CHAT, SPEECH = "/v1/chat/completions", "/v1/audio/transcriptions"


def text_of(answer) -> str:
    assert answer.status_code == 200, answer.text
    return answer.json()["choices"][0]["message"]["content"]


async def test_everybody_gets_their_own_answer_the_one_they_get_alone(service, asked):
    questions = [f"question {number} " + "word " * (number % 5) for number in range(23)]
    options = [{"temperature": 0.5, "seed": number % 3, "max_tokens": 5 + number} for number in range(23)]
    alone, together = service(max_batch=1), service()
    alone.chat.slots = 1
    async with alone.client() as client:
        expected = [
            text_of(await client.post(CHAT, json=asked(one, **more)))
            for one, more in zip(questions, options, strict=True)
        ]
    async with together.client() as client:
        posts = [client.post(CHAT, json=asked(one, **more)) for one, more in zip(questions, options, strict=True)]
        answers = await asyncio.gather(*posts)
    assert [text_of(answer) for answer in answers] == expected
    assert len(set(expected)) > 15
    assert max(together.chat.sizes) == 4 and max(alone.chat.sizes) == 1


async def test_batches_are_counted(service, asked):
    one = service()
    async with one.client() as client:
        await asyncio.gather(*(client.post(CHAT, json=asked(f"{number}")) for number in range(9)))
    count = one.number("inference_batch_size_count", model="fake-chat")
    assert count == len(one.chat.sizes)
    assert one.number("inference_batch_size_sum", model="fake-chat") == sum(one.chat.sizes)
    assert one.number("inference_batch_size_bucket", model="fake-chat", le="4.0") == count


async def test_who_comes_later_joins_a_batch_that_runs(service, asked, come_true):
    one = service()
    one.chat.free.clear()
    async with one.client() as client:
        first = asyncio.create_task(client.post(CHAT, json=asked("first", max_tokens=3)))
        await come_true(lambda: one.models.chat.runner.active == 1)
        second = asyncio.create_task(client.post(CHAT, json=asked("second", max_tokens=3)))
        await come_true(lambda: len(one.models.chat.runner.line) == 1)
        one.chat.free.set()
        await asyncio.gather(first, second)
    assert one.chat.sizes == [1, 1, 1, 2, 1]  # first alone; its second step, second's beginning; together; second alone


async def test_one_request_that_breaks_the_engine_spoils_no_other(service, asked):
    one = service()
    async with one.client() as client:
        questions = ["good", "poison", "better", "also poison", "best"]
        answers = await asyncio.gather(*(client.post(CHAT, json=asked(text)) for text in questions))
        again = await client.post(CHAT, json=asked("good"))
    assert [answer.status_code for answer in answers] == [200, 500, 200, 500, 200]
    assert answers[1].json()["error"]["code"] == "engine_failed"
    assert text_of(again) == text_of(answers[0])
    assert one.number("inference_engine_failures_total", model="fake-chat") == 2
    assert one.chat.taken == []


def test_a_function_that_fails_is_called_for_each_alone():
    def function(numbers):
        return [1 / number for number in numbers]

    assert each_on_its_own(function, [1, 2]) == [1, 0.5]
    one, wrong, other = each_on_its_own(function, [1, 0, 4])
    assert (one, other) == (1, 0.25) and isinstance(wrong, ZeroDivisionError)


async def test_a_bug_outside_of_a_step_is_told_to_all_and_makes_the_service_not_ready(service, asked):
    one = service()

    def end(job):
        raise KeyError("a bug")

    one.chat.end = end
    async with one.client() as client:
        answers = await asyncio.gather(*(client.post(CHAT, json=asked(f"{n}", max_tokens=n + 1)) for n in range(9)))
        later, ready = await client.post(CHAT, json=asked()), await client.get("/readyz")
    assert {answer.status_code for answer in answers} == {200, 500}
    assert later.status_code == ready.status_code == 503
    assert "worker_ended" in one.written.getvalue()


async def test_overload_is_refused_politely_and_everybody_else_is_served(service, asked, come_true):
    """40 callers, 4 slots, 6 places: ten are served, 30 are told when to come back, none fails."""
    one = service(max_queue=6)
    one.encoded, encode = [], one.chat.encode
    one.chat.encode = lambda messages: one.encoded.append(1) or encode(messages)
    one.chat.free.clear()
    async with one.client() as client:
        begun = [asyncio.create_task(client.post(CHAT, json=asked(f"begun {number}"))) for number in range(4)]
        # Those who are in the batch are in it once the first step, which is held, has taken them.
        await come_true(
            lambda: one.models.chat.runner.active >= 1 and one.number("inference_batch_size_count", model="fake-chat")
        )
        waiting = one.models.chat.runner.line
        await come_true(lambda: one.models.chat.runner.active + len(waiting) == 4)
        room = one.settings.max_queue - len(waiting)
        rest = [asyncio.create_task(client.post(CHAT, json=asked(f"late {number}"))) for number in range(36)]
        await come_true(lambda: sum(task.done() for task in rest) == 36 - room)
        one.encoded.clear()
        assert (await client.post(CHAT, json=asked())).status_code == 429
        assert one.encoded == []  # no work goes into who cannot be served
        one.chat.free.set()
        answers = await asyncio.gather(*begun, *rest)
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(200) == 4 + room and statuses.count(429) == 36 - room
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.json()["error"]["type"] == "rate_limit_error"
    assert one.number("inference_problems_total", code="queue_full") == 37 - room


async def test_recordings_have_places_from_before_they_are_received(service, upload, come_true):
    one = service(max_recordings=2)
    one.speech.free.clear()
    async with one.client() as client:
        held = [asyncio.create_task(client.post(SPEECH, **upload())) for _ in range(2)]
        await come_true(lambda: one.models.speech.runner.active + len(one.models.speech.runner.line) == 2)
        refused = await client.post(SPEECH, **upload())
        one.speech.free.set()
        answers = await asyncio.gather(*held)
        after = await client.post(SPEECH, **upload())
    assert refused.status_code == 429 and "retry-after" in refused.headers
    assert [answer.status_code for answer in [*answers, after]] == [200, 200, 200]


async def test_a_short_recording_does_not_wait_for_a_long_one(service, upload, sound, come_true):
    """Recordings take turns, a piece each: the short one is done while the long one has pieces left."""
    one = service()
    one.speech.free.clear()
    async with one.client() as client:
        long = asyncio.create_task(client.post(SPEECH, **upload(sound(100))))
        await come_true(lambda: one.models.speech.runner.active == 1)
        short = asyncio.create_task(client.post(SPEECH, **upload(sound(1))))
        await come_true(lambda: len(one.models.speech.runner.line) == 1)
        one.speech.free.set()
        await short
        assert not long.done()
        assert (await long).json()["text"].count("seconds") == 10


async def test_an_answer_that_takes_too_long_is_given_up_and_its_work_stops(service, asked, come_true):
    from services.inference.clock import FakeClock

    clock = FakeClock()
    one = service(clock=clock, answer_seconds=20)
    one.chat.free.clear()
    async with one.client() as client:
        late = asyncio.create_task(client.post(CHAT, json=asked()))
        await come_true(lambda: one.models.chat.runner.active == 1)
        waits = asyncio.create_task(client.post(CHAT, json=asked("in the line")))
        await come_true(lambda: len(one.models.chat.runner.line) == 1)
        await clock.advance(19)
        assert not late.done()
        await clock.advance(1.5)
        assert (await late).status_code == (await waits).status_code == 504
        assert len(one.models.chat.runner.line) == 0
        one.chat.free.set()
        await come_true(lambda: one.models.chat.runner.active == 0)
    assert "20 s" in (await late).json()["error"]["message"]
    assert len(one.chat.sizes) == 1 and one.chat.taken == []


async def test_a_stream_whose_time_is_over_says_so_in_its_last_event(service, asked, come_true):
    from services.inference.clock import FakeClock

    clock = FakeClock()
    one = service(clock=clock, answer_seconds=20)
    one.chat.step = lambda jobs: one.chat.free.wait(30) and [7 for _ in jobs]
    async with one.client() as client:
        one.chat.begin = lambda jobs: one.chat.free.clear() or [5 for _ in jobs]
        answer = asyncio.create_task(client.post(CHAT, json=asked(stream=True)))
        await come_true(lambda: not one.chat.free.is_set())
        await clock.settle()
        await come_true(lambda: one.models.chat.runner.active == 1)
        await asyncio.sleep(0.05)
        await clock.advance(21)
        lines = [line for line in (await answer).text.split("\n\n") if line]
        one.chat.free.set()
    assert '"timed_out"' in lines[-1] and "[DONE]" not in lines[-1]
    assert one.entries[-1]["severity"] == "ERROR" and one.entries[-1]["jsonPayload"]["problem"] == "timed_out"
