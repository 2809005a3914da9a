"""Load on a real service: requests that come when they come, whoever is still waiting (Lecture 12, *Cloud and DevOps*).

Callers who ask again only when they are answered slow down with the service and hide its queue (Lecture 11, experiment
2). Here the instants are drawn before, and each request is sent at its own.
"""

import asyncio
import re
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import httpx
import numpy as np

from course.capacity.quantities import instants, positive, whole
from course.capacity.simulation import Served
from course.errors import CourseError

CHAT = "/v1/chat/completions"
INSIDE = re.compile(r"^inference_(?:waiting|active)\{.*\} (\S+)$", re.MULTILINE)
SECONDS = 300.0  # after which a request is given up


class Loaded(NamedTuple):
    """What a load found.

    Attributes:
        arrived, ended: ``(n,)`` seconds after the beginning, as the callers saw them.
        tokens: ``(n,)`` steps that each answer took; 0 where there was none.
        statuses: ``(n,)`` of HTTP.
        inside: ``(m,)`` requests in the line or the batch, each time that somebody looked at ``/metrics``.
    """

    arrived: np.ndarray
    ended: np.ndarray
    tokens: np.ndarray
    statuses: np.ndarray
    inside: np.ndarray

    @property
    def latencies(self) -> np.ndarray:
        """Seconds, of each request."""
        return self.ended - self.arrived

    @property
    def tokens_per_second(self) -> float:
        """Of all answers together, from the first arrival to the last end."""
        return float(self.tokens.sum() / (self.ended.max() - self.arrived.min()))

    def as_served(self) -> Served:
        """Arrivals and ends; when the service began with each stands in its log alone."""
        return Served(self.arrived, self.arrived, self.ended)


def load(url: str, due: Sequence[float], limit: int, look_every: float | None = None) -> Loaded:
    """Send a chat at each instant, and look meanwhile at how many are inside.

    Args:
        url: of the service.
        due: ``(n,)`` instants, seconds, rising.
        limit: tokens of an answer, at most.
        look_every: seconds between two looks at ``/metrics``; None for none.

    Raises:
        TypeError, ValueError: no instants, or numbers that cannot be.
        CourseError: nobody answers there.
    """
    at, limit = instants("arrivals", due), whole("tokens", limit)
    if not at.size:
        raise ValueError("At least one arrival was expected, and none came.")
    if look_every is not None:
        positive("seconds between two looks", look_every)
    # A notebook has an event loop of its own already; another one needs another thread.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, _send(url, at, limit, look_every)).result()


async def _send(url: str, due: np.ndarray, limit: int, look_every: float | None) -> Loaded:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
    options = {"timeout": SECONDS, "limits": limits, "trust_env": False}
    async with httpx.AsyncClient(base_url=url, **options) as client:
        model = await _model(client, url)
        began, looks = time.perf_counter(), []
        looking = asyncio.create_task(_look(client, look_every, looks)) if look_every else None
        rows = await asyncio.gather(*(_ask(client, model, n, at, limit, began) for n, at in enumerate(due)))
        if looking:
            looking.cancel()
    arrived, ended, tokens, statuses = map(np.array, zip(*rows, strict=True))
    return Loaded(arrived, ended, tokens, statuses, np.array(looks))


async def _model(client: httpx.AsyncClient, url: str) -> str:
    try:
        return (await client.get("/v1/models")).json()["data"][0]["id"]
    except httpx.HTTPError as error:
        raise CourseError(f"No inference service answers at {url}. Start one: course serve --engine fake.") from error


async def _ask(client: httpx.AsyncClient, model: str, number: int, at: float, limit: int, began: float) -> tuple:
    await asyncio.sleep(max(0.0, began + at - time.perf_counter()))
    arrived = time.perf_counter() - began
    try:
        answer = await client.post(CHAT, json=question(model, number, limit))
    except httpx.HTTPError:
        return arrived, time.perf_counter() - began, 0, 0
    return arrived, time.perf_counter() - began, steps(answer.json()), answer.status_code


async def _look(client: httpx.AsyncClient, every: float, looks: list[float]) -> None:
    while True:
        text = (await client.get("/metrics")).text
        looks.append(sum(float(value) for value in INSIDE.findall(text)))
        await asyncio.sleep(every)


def question(model: str, number: int, limit: int) -> dict[str, Any]:
    """A chat request; each number asks something else, so that answers differ in length, and are the same each time."""
    content = f"Please summarise call {number} for the agent."
    return {"model": model, "messages": [{"role": "user", "content": content}], "max_tokens": limit}


def steps(answer: dict[str, Any]) -> int:
    """Steps that an answer took: its tokens, and the one that said that it is finished; 0 for a refusal."""
    if "usage" not in answer:
        return 0
    return answer["usage"]["completion_tokens"] + (answer["choices"][0]["finish_reason"] == "stop")
