"""The transcription route: from a form with a recording to a text."""

import asyncio
import contextlib

from fastapi import FastAPI
from fastapi import Request as HttpRequest
from fastapi.responses import PlainTextResponse, Response

from services.inference.audio import Recording, read_recording
from services.inference.clock import Clock
from services.inference.jobs import Transcript
from services.inference.metrics import Metrics
from services.inference.middleware import Facts
from services.inference.models import Models
from services.inference.problems import ON_BOTH_ROUTES, Problem, documented
from services.inference.routes import Conversation, Parent, answer, begin, unless_gone
from services.inference.schemas import Transcription, VerboseTranscription
from services.inference.settings import Settings
from services.inference.uploads import read_form

SPEECH = "/v1/audio/transcriptions"
FORM = {
    "type": "object",
    "required": ["file", "model"],
    "additionalProperties": False,
    "properties": {
        "file": {"type": "string", "format": "binary", "description": "WAV, FLAC, Ogg or MP3"},
        "model": {"type": "string"},
        "language": {"type": "string", "enum": ["en"]},
        "response_format": {"type": "string", "enum": ["json", "text", "verbose_json"], "default": "json"},
        "temperature": {
            "type": "string",
            "enum": ["0"],
            "description": "the likeliest text is the only one that there is",
        },
    },
}


class Recordings:
    """What the transcription route does with a request.

    Args:
        settings, models, metrics, clock: of the service.
    """

    def __init__(self, settings: Settings, models: Models, metrics: Metrics, clock: Clock):
        self.settings, self.models, self.metrics, self.clock = settings, models, metrics, clock
        self.served, self.held = models.speech, 0

    @contextlib.contextmanager
    def place(self):
        """A place for one recording, from before it is received until it is answered, so that memory is bounded.

        Raises:
            Problem: `queue_full`.
        """
        if self.held >= self.settings.max_recordings:
            raise self.served.refuse(self.held)
        self.held += 1
        try:
            yield
        finally:
            self.held -= 1

    async def receive(self, request: HttpRequest) -> tuple[dict[str, str], Recording]:
        """The form's fields and its recording."""
        fields, content = await read_form(request, set(FORM["properties"]) - {"file"})
        for name, value in fields.items():
            allowed = FORM["properties"][name].get("enum")
            if allowed and value not in allowed:
                raise Problem(
                    "invalid_request", f"{name} was expected as {' or '.join(allowed)}; {value[:40]!r} came.", name
                )
        if "model" not in fields:
            raise Problem(
                "invalid_request", f"A model was expected and none came. Try {self.served.engine.model}.", "model"
            )
        self.models.require(self.served, fields["model"])
        return fields, await asyncio.to_thread(read_recording, content, self.settings.max_audio_seconds)

    async def transcribe(self, recording: Recording, facts: Facts) -> str:
        """The text of a recording."""
        now, model = self.clock.now(), self.served.engine.model
        job = Transcript(now, now + self.settings.answer_seconds, recording.samples, recording.sample_rate)
        facts.payload["audio_seconds"] = round(recording.seconds, 3)
        texts = []
        async with contextlib.aclosing(self.served.parts(job)) as parts:
            async for text in parts:
                texts.append(text)
        self.metrics.audio.labels(model).inc(recording.seconds)
        facts.payload["queue_seconds"] = round(job.began - job.arrived, 6)
        text = " ".join(text for text in texts if text)
        if self.settings.log_texts:
            facts.payload["answer"] = text
        return text


def add_speech(app: FastAPI, recordings: Recordings) -> None:
    """The transcription route."""
    answers = documented(["invalid_multipart", "corrupt_audio", "empty_audio", "audio_too_long", *ON_BOTH_ROUTES])
    schema = {
        "anyOf": [{"$ref": f"#/components/schemas/{one.__name__}"} for one in (VerboseTranscription, Transcription)]
    }
    answers[200] = {
        "description": "The text.",
        "content": {"application/json": {"schema": schema}, "text/plain": {"schema": {"type": "string"}}},
    }
    body = {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": FORM}}}}

    @app.post(SPEECH, tags=["audio"], response_model=None, responses=answers, openapi_extra=body)
    async def transcriptions(
        request: HttpRequest, conversation: Conversation = None, parent: Parent = None
    ) -> Response:
        """Write down what is said in a recording."""
        served = recordings.served
        facts = begin(request, "audio.transcription", served.engine.model, conversation, parent)
        recordings.models.require(served, served.engine.model)
        with recordings.place():
            fields, recording = await recordings.receive(request)
            text = await unless_gone(request, recordings.transcribe(recording, facts))
        head = {"X-Conversation-Id": facts.payload["conversation_id"], "X-Message-Id": facts.payload["message_id"]}
        kind = fields.get("response_format", "json")
        if kind == "text":
            return PlainTextResponse(f"{text}\n", headers=head)
        if kind == "verbose_json":
            return answer(VerboseTranscription(text=text, duration=recording.seconds), head)
        return answer(Transcription(text=text), head)
