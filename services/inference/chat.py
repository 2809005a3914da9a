"""The chat route: from a conversation to an answer, at once or as it comes."""

import asyncio
import contextlib
import json
import secrets
import time
from collections.abc import AsyncIterator

from fastapi import FastAPI
from fastapi import Request as HttpRequest
from fastapi.responses import StreamingResponse

from services.inference.clock import Clock
from services.inference.jobs import Reply, Sampling
from services.inference.metrics import Metrics
from services.inference.middleware import Facts
from services.inference.models import Models
from services.inference.problems import ON_BOTH_ROUTES, Problem, documented, error
from services.inference.routes import Conversation, Parent, answer, begin, unless_gone
from services.inference.schemas import (
    Answer,
    ChatChunk,
    ChatCompletion,
    ChatRequest,
    Choice,
    ChunkChoice,
    Delta,
    Usage,
)
from services.inference.settings import Settings

CHAT = "/v1/chat/completions"
# OpenAPI 3.1 has no words for a stream: what reads it takes the schema for that of each event.
EVENT = {
    "type": "object",
    "description": "data is a ChatChunk; an ErrorAnswer, where the answer breaks off; or [DONE], the last one.",
    "required": ["data"],
    "properties": {"data": {"type": "string"}},
}


class Chats:
    """What the chat route does with a request.

    Args:
        settings, models, metrics, clock: of the service.
    """

    def __init__(self, settings: Settings, models: Models, metrics: Metrics, clock: Clock):
        self.settings, self.models, self.metrics, self.clock = settings, models, metrics, clock
        self.served = models.chat

    async def reply(self, asked: ChatRequest) -> Reply:
        """A job for the runner.

        Raises:
            Problem: what is wrong with the request, or with the service.
        """
        self.models.require(self.served, asked.model)
        if not asked.messages[-1].content.strip():
            raise Problem("empty_prompt", "The last message was expected to have text and is empty.", "messages")
        self.served.require_room()
        messages = [message.model_dump() for message in asked.messages]
        try:
            # Tokenizers take their time with long texts, and would keep all others waiting.
            prompt = await asyncio.to_thread(self.models.engine.encode, messages)
        except ValueError as wrong:
            raise Problem("invalid_request", str(wrong), "messages") from wrong
        most = self.settings.max_prompt_tokens
        if len(prompt) > most:
            sentence = f"At most {most} tokens of messages were expected and {len(prompt)} came. Leave out the oldest."
            raise Problem("context_length_exceeded", sentence, "messages")
        wanted = asked.max_completion_tokens or asked.max_tokens or self.settings.max_answer_tokens
        seed = secrets.randbits(31) if asked.seed is None else asked.seed
        now, engine = self.clock.now(), self.models.engine
        return Reply(
            arrived=now,
            due=now + self.settings.answer_seconds,
            prompt=prompt,
            limit=min(wanted, self.settings.max_answer_tokens),
            sampling=Sampling(asked.temperature, asked.top_p, seed),
            end_tokens=engine.end_tokens,
            decode=engine.decode,
            stop=asked.stops,
        )

    async def pieces(self, reply: Reply, asked: ChatRequest, facts: Facts) -> AsyncIterator[str]:
        """An answer's text as it comes; with its end, or its breaking off, what is known is noted for the log."""
        said = []
        try:
            async with contextlib.aclosing(self.served.parts(reply)) as parts:
                async for piece in parts:
                    if not said:
                        self._note_first(reply, facts)
                    said.append(piece)
                    yield piece
        finally:
            self._note(reply, facts, asked.messages[-1].content, "".join(said))

    def _note_first(self, reply: Reply, facts: Facts) -> None:
        seconds = self.clock.now() - reply.arrived
        self.metrics.first_token.labels(self.served.engine.model).observe(seconds)
        facts.payload["first_token_seconds"] = round(seconds, 6)

    def _note(self, reply: Reply, facts: Facts, question: str, answer: str) -> None:
        if reply.began is not None:
            tokens = self.metrics.tokens
            tokens.labels(self.served.engine.model, "prompt").inc(len(reply.prompt))
            tokens.labels(self.served.engine.model, "completion").inc(len(reply.tokens))
        facts.payload |= {
            "prompt_tokens": len(reply.prompt),
            "completion_tokens": len(reply.tokens),
            "finish_reason": reply.finish_reason,
            "queue_seconds": None if reply.began is None else round(reply.began - reply.arrived, 6),
        }
        if self.settings.log_texts:
            facts.payload |= {"question": question, "answer": answer}


def usage(reply: Reply) -> Usage:
    """The numbers of a reply's tokens."""
    read, written = len(reply.prompt), len(reply.tokens)
    return Usage(prompt_tokens=read, completion_tokens=written, total_tokens=read + written)


def add_chat(app: FastAPI, chats: Chats) -> None:
    """The chat route."""
    answers = documented(["invalid_json", "empty_prompt", "context_length_exceeded", *ON_BOTH_ROUTES])
    answers[200] = {
        "description": "The answer; with stream=true, server-sent events.",
        "content": {"text/event-stream": {"schema": EVENT}},
    }

    @app.post(CHAT, tags=["chat"], response_model=ChatCompletion, responses=answers)
    async def chat_completions(
        asked: ChatRequest, request: HttpRequest, conversation: Conversation = None, parent: Parent = None
    ):
        """Continue a conversation."""
        facts = begin(request, "chat.completion", chats.served.engine.model, conversation, parent)
        reply, created = await chats.reply(asked), int(time.time())
        pieces = chats.pieces(reply, asked, facts)
        head = {"X-Conversation-Id": facts.payload["conversation_id"]}
        name = {"id": facts.payload["message_id"], "created": created, "model": asked.model}
        if asked.stream:
            # The first piece decides the status: until then a failure can still say so.
            first = await unless_gone(request, anext(pieces))
            return Events(events(first, pieces, reply, asked, name, facts), headers=head)
        text = await unless_gone(request, joined(pieces))
        choice = Choice(message=Answer(content=text), finish_reason=reply.finish_reason)
        return answer(ChatCompletion(**name, choices=[choice], usage=usage(reply)), head)


async def joined(pieces: AsyncIterator[str]) -> str:
    """All pieces of a text as one."""
    async with contextlib.aclosing(pieces):
        return "".join([piece async for piece in pieces])


async def events(
    first: str, pieces: AsyncIterator[str], reply: Reply, asked: ChatRequest, name: dict, facts: Facts
) -> AsyncIterator[str]:
    """An answer as server-sent events."""

    def event(delta: Delta, finish: str | None = None) -> str:
        return sent(ChatChunk(**name, choices=[ChunkChoice(delta=delta, finish_reason=finish)]))

    try:
        async with contextlib.aclosing(pieces):
            yield event(Delta(role="assistant", content=first))
            async for piece in pieces:
                if piece:
                    yield event(Delta(content=piece))
    except Problem as problem:
        facts.problem = problem.code
        yield f"data: {json.dumps({'error': error(problem.code, problem.detail)})}\n\n"
        return
    yield event(Delta(), reply.finish_reason)
    if asked.stream_options and asked.stream_options.include_usage:
        yield sent(ChatChunk(**name, choices=[], usage=usage(reply)))
    yield "data: [DONE]\n\n"


def sent(chunk: ChatChunk) -> str:
    """A chunk as a server-sent event; nothing is said of what is not there, but that no reason has ended it."""
    content = chunk.model_dump(exclude_none=True)
    for choice in content["choices"]:
        choice.setdefault("finish_reason", None)
    return f"data: {json.dumps(content, allow_nan=False)}\n\n"


class Events(StreamingResponse):
    """Server-sent events that stop being made when nobody listens any more."""

    media_type = "text/event-stream"

    def __init__(self, events: AsyncIterator[str], headers: dict[str, str]):
        super().__init__(events, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no", **headers})

    async def __call__(self, scope, receive, send) -> None:
        facts = scope["state"]["facts"]
        facts.problem = "client_gone"  # unless it comes to its end
        ended = False

        async def watched(message) -> None:
            nonlocal ended
            await send(message)
            ended = ended or (message["type"] == "http.response.body" and not message.get("more_body", False))

        try:
            await super().__call__(scope, receive, watched)
        finally:
            await self.body_iterator.aclose()
            if ended and facts.problem == "client_gone":
                facts.problem = ""
