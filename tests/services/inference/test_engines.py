"""The engines: a fake that is the same for ever, and Moonshine, which says what the course's recogniser says."""

import io

import numpy as np
import pytest
import soundfile

from course.errors import CourseError
from course.models import MODELS
from course.moonshine import MoonshineRecogniser
from course.recordings import readings
from services.inference.engines import FakeChat, FakeSpeech, Moonshine, require
from services.inference.jobs import Reply, Sampling, Transcript

pytestmark = pytest.mark.anyio
SPEECH = "/v1/audio/transcriptions"


def test_a_fake_answers_the_same_alone_and_in_a_batch_and_ends():
    engine = FakeChat(seed=4)
    prompts = [engine.encode([{"role": "user", "content": f"question {number}"}]) for number in range(8)]

    def answers(groups):
        found = {}
        for group in groups:
            jobs = {n: Reply(0, 1, prompts[n], 400, Sampling(), engine.end_tokens, engine.decode) for n in group}
            make = engine.begin
            while alive := [job for job in jobs.values() if not job.finished]:
                for job, part in zip(alive, make(alive), strict=True):
                    job.add(part)
                make = engine.step
            found |= {n: job.tokens for n, job in jobs.items()}
        return found

    alone = answers([[n] for n in range(8)])
    assert alone == answers([range(8)]) == answers([range(3), range(3, 8)])
    assert all(3 < len(tokens) < 400 for tokens in alone.values())
    assert FakeChat(seed=5)._token(Reply(0, 1, [1], 9, Sampling(), {0}, str)) != engine._token(
        Reply(0, 1, [1], 9, Sampling(), {0}, str)
    )


def test_a_fake_hears_every_second():
    job = Transcript(0, 1, np.full(25 * 8000, 0.25, np.float32), 8000)
    engine = FakeSpeech()
    job.add(engine.begin([job])[0])
    while not job.finished:
        job.add(engine.step([job])[0])
    texts = [job.news.get_nowait() for _ in range(job.news.qsize())]
    assert texts == ["10.0 seconds, level 0.250."] * 2 + ["5.0 seconds, level 0.250."]


def test_a_model_that_is_not_here_is_told_with_what_to_do(monkeypatch):
    monkeypatch.setattr(MODELS, "locate", lambda name, file: None)
    with pytest.raises(CourseError, match="'course models pull resemblyzer'"):
        require("resemblyzer", "pretrained.pt")


@pytest.fixture(scope="module")
def spoken():
    """Two short readings, and the second behind a pause of 40 s, so that it comes in two pieces."""
    one, other = sorted(readings(16), key=lambda recording: recording.seconds)[:2]
    rate = one.sample_rate
    late = np.concatenate([one.signal, np.zeros(40 * rate), other.signal])
    return [(np.asarray(signal, np.float32), rate) for signal in (one.signal, other.signal, late)]


async def test_each_caller_hears_what_the_recogniser_hears_alone(service, spoken):
    one = service(speech=Moonshine(slots=3))
    one.speech.free = type("Free", (), {"set": staticmethod(lambda: None)})()
    recogniser = MoonshineRecogniser()
    import asyncio

    def post(client, signal, rate):
        file = io.BytesIO()
        soundfile.write(file, signal, rate, format="WAV", subtype="FLOAT")
        return client.post(SPEECH, files={"file": ("a.wav", file.getvalue())}, data={"model": "moonshine-tiny-en"})

    async with one.client() as client:
        answers = await asyncio.gather(*(post(client, *each) for each in spoken))
        silence = await post(client, np.zeros(16_000, np.float32), 16_000)
    texts = [answer.json()["text"] for answer in answers]
    assert texts == [recogniser.recognise(signal, rate) for signal, rate in spoken]
    assert all(len(text.split()) > 2 for text in texts)
    assert silence.json()["text"] == ""
