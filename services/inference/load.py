"""Load: the service in a process of its own, and callers who each ask again as soon as they have their answer."""

import asyncio
import contextlib
import io
import itertools
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import httpx
import numpy as np
import psutil
import soundfile

from course.serving.process import started

CHAT, SPEECH = "/v1/chat/completions", "/v1/audio/transcriptions"
ANSWER_SECONDS = 600.0
QUESTIONS = (
    "What is the routing number of your bank?",
    "I lost my debit card yesterday. What should I do now?",
    "Please summarise: the caller wants to move 200 dollars from savings to checking.",
    "When does the branch open on Saturday?",
    "Is there a fee for a transfer to another bank?",
)


@dataclass
class Outcome:
    """What came of a load.

    Attributes:
        seconds: of each answered request, in the order in which they ended.
        statuses: how many requests ended with each; 0 where the connection failed.
        elapsed: of all of it.
        tokens: written.
    """

    seconds: list[float] = field(default_factory=list)
    statuses: Counter = field(default_factory=Counter)
    elapsed: float = 0.0
    tokens: int = 0

    @property
    def failed(self) -> int:
        """Requests that got neither an answer nor a polite refusal."""
        return sum(count for status, count in self.statuses.items() if status not in (200, 429))


@contextlib.contextmanager
def served(engine: str, **settings) -> Iterator[tuple[str, psutil.Process]]:
    """The service in a process of its own, ready: its address and its process; ended politely with the block.

    Args:
        engine: "real" or "fake".
        settings: as in `services.inference.settings`.

    Raises:
        CourseError: it did not get ready.
    """
    with started(engine, **settings) as service:
        yield service.url, service.process


def model_names(address: str) -> tuple[str, str]:
    """The models of chat and of speech."""
    chat, speech = (card["id"] for card in httpx.get(f"{address}/v1/models", timeout=30).json()["data"])
    return chat, speech


def closed_loop(address: str, callers: int, requests: int, tokens: int) -> Outcome:
    """Callers who each ask again as soon as they are answered, until so many requests are done.

    Args:
        address: of the service.
        callers: at the same time.
        requests: of all together.
        tokens: of each answer, at most.
    """

    async def all_callers() -> Outcome:
        outcome, numbers, model = Outcome(), iter(range(requests)), model_names(address)[0]
        async with _client(address, callers) as client:
            began = time.perf_counter()
            await asyncio.gather(*(_caller(client, model, numbers, tokens, outcome) for _ in range(callers)))
            outcome.elapsed = time.perf_counter() - began
        return outcome

    return asyncio.run(all_callers())


async def _caller(client: httpx.AsyncClient, model: str, numbers: Iterator[int], tokens: int, outcome: Outcome) -> None:
    for number in numbers:
        await _ask(client, _question(model, number, tokens), outcome)


def _question(model: str, number: int, tokens: int) -> dict:
    content = f"{QUESTIONS[number % len(QUESTIONS)]} (call {number})"
    return {"model": model, "messages": [{"role": "user", "content": content}], "max_tokens": tokens}


async def _ask(client: httpx.AsyncClient, question: dict, outcome: Outcome) -> None:
    began = time.perf_counter()
    try:
        answer = await client.post(CHAT, json=question)
    except httpx.HTTPError:
        outcome.statuses[0] += 1
        return
    outcome.statuses[answer.status_code] += 1
    if answer.status_code == 200:
        outcome.seconds.append(time.perf_counter() - began)
        outcome.tokens += answer.json()["usage"]["completion_tokens"]


def burst(address: str, callers: int, tokens: int) -> Outcome:
    """Everybody at once, and nobody again."""
    return closed_loop(address, callers, callers, tokens)


def soak(address: str, process: psutil.Process, seconds: float, callers: int, tokens: int) -> tuple[Outcome, list]:
    """Mixed load for a while: answers, streams, streams that are left, recordings; and what memory the service holds.

    Returns:
        The outcome, and ``(seconds, bytes)`` of looks at the process, about one a second.
    """
    looks: list[tuple[float, int]] = []

    async def look(began: float) -> None:
        while True:
            looks.append((time.perf_counter() - began, process.memory_info().rss))
            await asyncio.sleep(min(1.0, seconds / 20))

    async def everybody() -> Outcome:
        outcome, numbers, models = Outcome(), itertools.count(), model_names(address)
        async with _client(address, callers) as client:
            began = time.perf_counter()
            watching = asyncio.create_task(look(began))
            end = began + seconds
            await asyncio.gather(*(_mixed(client, models, numbers, tokens, end, outcome) for _ in range(callers)))
            watching.cancel()
            outcome.elapsed = time.perf_counter() - began
        return outcome

    return asyncio.run(everybody()), looks


async def _mixed(client, models, numbers, tokens: int, end: float, outcome: Outcome) -> None:
    chat, speech = models
    for number in numbers:
        if time.perf_counter() > end:
            return
        question = _question(chat, number, tokens)
        if number % 8 == 3:
            await _listen(client, question, tokens, outcome)
        elif number % 8 == 5:
            await _listen(client, question, 2, outcome)
        elif number % 8 == 7:
            await _transcribe(client, speech, outcome)
        else:
            await _ask(client, question, outcome)


async def _listen(client: httpx.AsyncClient, question: dict, events: int, outcome: Outcome) -> None:
    """Read so many events of a stream, then leave."""
    try:
        async with client.stream("POST", CHAT, json=question | {"stream": True}) as answer:
            outcome.statuses[answer.status_code] += 1
            heard = 0
            async for line in answer.aiter_lines():
                heard += line.startswith("data: ")
                if heard >= events or (line.startswith("data: {") and "error" in json.loads(line[6:])):
                    return
    except httpx.HTTPError:
        outcome.statuses[0] += 1


async def _transcribe(client: httpx.AsyncClient, model: str, outcome: Outcome) -> None:
    try:
        answer = await client.post(SPEECH, files={"file": ("noise.wav", _noise())}, data={"model": model})
        outcome.statuses[answer.status_code] += 1
    except httpx.HTTPError:
        outcome.statuses[0] += 1


def _noise() -> bytes:
    file = io.BytesIO()
    samples = 0.01 * np.random.default_rng(0).standard_normal(2 * 8000)
    soundfile.write(file, samples, 8000, format="WAV")
    return file.getvalue()


@contextlib.asynccontextmanager
async def _client(address: str, callers: int) -> AsyncIterator[httpx.AsyncClient]:
    limits = httpx.Limits(max_connections=callers, max_keepalive_connections=callers)
    async with httpx.AsyncClient(base_url=address, timeout=ANSWER_SECONDS, limits=limits) as client:
        yield client
