"""The application: OpenAI's contract over two engines (Lecture 10, *Services: the contract first*)."""

import contextlib
import re
from collections.abc import AsyncIterator

from fastapi import FastAPI
from fastapi import Request as HttpRequest
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException

from services.inference.chat import CHAT, Chats, add_chat
from services.inference.clock import Clock, SystemClock
from services.inference.engines import ChatEngine
from services.inference.logs import Log
from services.inference.metrics import Metrics
from services.inference.middleware import Around
from services.inference.models import READY, Models, Served
from services.inference.page import contract_page
from services.inference.problems import Problem, documented
from services.inference.running import Engine
from services.inference.schemas import (
    ChatChunk,
    ErrorAnswer,
    Health,
    ModelCard,
    ModelList,
    Readiness,
    Transcription,
    VerboseTranscription,
)
from services.inference.settings import Settings
from services.inference.speech import SPEECH, Recordings, add_speech

CREATED = 1_730_419_200  # of the models' cards: the seconds of 2024-11-01, when SmolLM2 was published


def create_app(
    settings: Settings,
    chat_engine: ChatEngine,
    speech_engine: Engine,
    clock: Clock | None = None,
    log: Log | None = None,
) -> FastAPI:
    """The service as an ASGI application.

    Args:
        settings: see `services.inference.settings`.
        chat_engine: of /v1/chat/completions.
        speech_engine: of /v1/audio/transcriptions.
        clock: the machine's if not given.
        log: standard output if not given.

    Returns:
        The application; its ``state.models`` can be told to drain.
    """
    clock, metrics = clock or SystemClock(), Metrics()
    log = log or Log(settings.project, lost=metrics.logs_lost.inc)
    chat = Served(chat_engine, settings.max_queue, settings.max_wait, clock, log, metrics)
    speech = Served(speech_engine, settings.max_recordings, 0.0, clock, log, metrics)
    models = Models(chat, speech)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        log.write("INFO", {"event": "started", "settings": settings.model_dump(mode="json")})
        async with models.living():
            yield
        log.write("INFO", {"event": "ended"})

    app = FastAPI(
        title="Inference", version="1", lifespan=lifespan, docs_url=None, redoc_url=None, redirect_slashes=False
    )
    app.state.models, app.state.metrics, app.state.log = models, metrics, log
    add_operations(app, models, metrics)
    add_models(app, models)
    add_chat(app, Chats(settings, models, metrics, clock))
    add_speech(app, Recordings(settings, models, metrics, clock))
    add_problems(app)
    app.add_middleware(
        Around,
        limits={CHAT: settings.max_json_bytes, SPEECH: settings.max_upload_bytes},
        body_seconds=settings.body_seconds,
        routes={path for path in app.openapi()["paths"] if "{" not in path},
        clock=clock,
        log=log,
        metrics=metrics,
    )
    return app


def add_operations(app: FastAPI, models: Models, metrics: Metrics) -> None:
    """Routes for who runs the service."""

    @app.get("/healthz", tags=["operations"])
    async def healthz() -> Health:
        """Whether the process lives; restart it if not."""
        return Health()

    @app.get("/readyz", tags=["operations"], responses={503: {"model": Readiness, "description": "Not ready."}})
    async def readyz(response: Response) -> Readiness:
        """Whether requests should be sent here: all models are loaded, and the service is not about to end."""
        states = {one.engine.model: one.state for one in models.all}
        ready = not models.draining and all(state == READY for state in states.values())
        response.status_code = 200 if ready else 503
        return Readiness(ready=ready, models=states)

    @app.get("/metrics", tags=["operations"], response_class=PlainTextResponse)
    async def show_metrics() -> Response:
        """Numbers for Prometheus."""
        return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)

    @app.get("/docs", include_in_schema=False)
    async def show_contract() -> HTMLResponse:
        return HTMLResponse(contract_page(app.openapi()))


def add_models(app: FastAPI, models: Models) -> None:
    """Routes that say what can be asked for."""

    def card(served: Served) -> ModelCard:
        return ModelCard(id=served.engine.model, created=CREATED, owned_by="from-waveform-to-cloud")

    @app.get("/v1/models", tags=["models"])
    async def list_models() -> ModelList:
        """The models, loaded or not."""
        return ModelList(data=[card(one) for one in models.all])

    @app.get("/v1/models/{model}", tags=["models"], responses=documented(["model_not_found"]))
    async def one_model(model: str) -> ModelCard:
        """One of them."""
        for served in models.all:
            if served.engine.model == model:
                return card(served)
        raise Problem("model_not_found", f"There is no model {model[:80]!r}; /v1/models lists what there is.", "model")


def add_problems(app: FastAPI) -> None:
    """Have everything that goes wrong end in the middleware, in one shape; and document that shape."""

    @app.exception_handler(Problem)
    async def hand_on(request: HttpRequest, problem: Problem) -> Response:
        raise problem

    @app.exception_handler(RequestValidationError)
    async def wrong(request: HttpRequest, found: RequestValidationError) -> Response:
        raise of_validation(request, found)

    @app.exception_handler(HTTPException)
    async def other(request: HttpRequest, found: HTTPException) -> Response:
        codes = {404: "not_found", 405: "method_not_allowed", 400: "invalid_json"}
        problem = Problem(
            codes.get(found.status_code, "internal_error"), _SENTENCES.get(found.status_code, found.detail)
        )
        problem.headers |= found.headers or {}
        raise problem

    describe = app.openapi

    def openapi() -> dict:
        schema = describe()
        for path in schema["paths"].values():
            for operation in path.values():
                operation["responses"].pop("422", None)  # FastAPI's own; here it is 400, as OpenAI has it
        for name in ("HTTPValidationError", "ValidationError"):
            schema["components"]["schemas"].pop(name, None)
        for model in (ErrorAnswer, Transcription, VerboseTranscription, ChatChunk):
            described = model.model_json_schema(ref_template="#/components/schemas/{model}")
            schema["components"]["schemas"] |= described.pop("$defs", {}) | {model.__name__: described}
        return schema

    app.openapi = openapi


_SENTENCES = {
    400: "JSON was expected and the body is none, or cannot be read as it.",
    404: "There is no such route; /openapi.json lists those that there are.",
    405: "The route has another method; the header Allow names it.",
}


def of_validation(request: HttpRequest, found: RequestValidationError) -> Problem:
    """The first objection of the schema. What came is not repeated: it may be long, secret, or NaN."""
    first = found.errors()[0]
    place = ".".join(str(part) for part in first["loc"] if part not in ("body", "header"))
    if first["type"] == "json_invalid":
        return Problem("invalid_json", f"JSON was expected and the body stops being it at byte {first['loc'][-1]}.")
    kind = re.split("[; ]", request.headers.get("content-type", ""))[0]
    if first["loc"] == ("body",) and kind != "application/json":
        return Problem("unsupported_media_type", f"application/json was expected and {kind[:80] or 'no type'} came.")
    return Problem("invalid_request", f"{place or 'The body'}: {first['msg']}.", place[:200] or None)
