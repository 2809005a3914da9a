"""What both routes do with a request: note what it is, work for it as long as its client is there, answer."""

import asyncio
import secrets
from collections.abc import Awaitable
from typing import Annotated, TypeVar

from fastapi import Header
from fastapi import Request as HttpRequest
from fastapi.responses import JSONResponse
from pydantic import BaseModel, StringConstraints

from services.inference.middleware import Facts
from services.inference.problems import Problem

T = TypeVar("T")
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,128}$")]
Conversation = Annotated[Id | None, Header(alias="X-Conversation-Id", description="logged; a new one if there is none")]
Parent = Annotated[Id | None, Header(alias="X-Parent-Id", description="logged: the id of the answer that is continued")]


def begin(request: HttpRequest, event: str, model: str, conversation: str | None, parent: str | None) -> Facts:
    """Note for the log what a request is; its answer gets an id, under which it can be continued."""
    facts: Facts = request.state.facts
    facts.payload |= {
        "event": event,
        "model": model,
        "conversation_id": conversation or f"conv-{secrets.token_hex(12)}",
        "parent_id": parent,
        "message_id": f"{'chatcmpl' if event == 'chat.completion' else 'transcript'}-{secrets.token_hex(12)}",
    }
    return facts


async def unless_gone(request: HttpRequest, work: Awaitable[T]) -> T:
    """What ``work`` gives; it is cancelled if the client closes the connection before.

    Raises:
        Problem: `client_gone`, which nobody will read but the log.
    """
    task, gone = asyncio.ensure_future(work), asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise Problem("client_gone", "The client closed the connection.")
        return task.result()
    finally:
        task.cancel()
        gone.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def _gone(request: HttpRequest) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def answer(content: BaseModel, headers: dict[str, str]) -> JSONResponse:
    """An answer of the contract as JSON, which cannot hold NaN."""
    return JSONResponse(content.model_dump(mode="json"), headers=headers)
