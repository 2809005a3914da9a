"""Who is served with whom: a bounded line of requests that is left in batches (Lecture 10).

A machine that reads its weights once for sixteen requests does sixteen requests' work for little more than the price of
one. So it pays to wait a moment for company; the line says for how long. Two numbers fix everything: a batch leaves as
soon as it is full, or when its first request has waited ``max_wait`` seconds. Hence the bound: **with an engine that
asks, nobody waits longer than max_wait**; with an engine that takes ``s`` seconds for a batch, who finds ``k`` requests
ahead waits at most ``max_wait + s * (k // most + 1)`` seconds.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable
from typing import Generic, NamedTuple, TypeVar

from services.inference.clock import FOR_EVER, Clock, before

T = TypeVar("T")


class Full(Exception):
    """The line is as long as it may be: come back later."""


class Waiting(NamedTuple):
    """A request in the line and when it came."""

    request: object
    since: float


class Line(Generic[T]):
    """Requests that wait, first come, first served. One engine takes; any number of callers put.

    Args:
        capacity: requests that may wait; one more is refused, because a wait that nobody will sit out helps nobody.
        max_wait: seconds that the first request of a batch waits for company.
        clock: of the waits.

    Raises:
        ValueError: a capacity below 1 or a wait below 0.
    """

    def __init__(self, capacity: int, max_wait: float, clock: Clock):
        if capacity < 1 or not 0 <= max_wait < FOR_EVER:
            raise ValueError(
                f"A capacity of 1 or more and a wait of 0 s or more were expected; {capacity} and {max_wait} came."
            )
        self.capacity, self.max_wait, self._clock = capacity, max_wait, clock
        self._line: deque[Waiting] = deque()
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._line)

    def put(self, request: T) -> None:
        """Join the line.

        Raises:
            Full: nobody more may wait.
        """
        if len(self._line) >= self.capacity:
            raise Full
        self._line.append(Waiting(request, self._clock.now()))
        self._changed.set()

    def withdraw(self, request: T) -> None:
        """Leave the line; who is not in it any more is not missed."""
        self._line = deque(one for one in self._line if one.request is not request)
        self._changed.set()

    async def take(self, most: int) -> list[T]:
        """The next batch, 1 to ``most`` requests, as soon as the rule above lets it go."""
        while (leaves := self._leaves(most)) > self._clock.now():
            self._changed.clear()
            await _until(self._clock, leaves, self._changed.wait())
        return self.take_now(most)

    def take_now(self, most: int) -> list[T]:
        """Those who wait now, at most ``most``."""
        return [self._line.popleft().request for _ in range(min(most, len(self._line)))]

    def _leaves(self, most: int) -> float:
        """The instant at which a batch leaves if nobody else comes."""
        if not self._line:
            return FOR_EVER
        return self._line[0].since + (self.max_wait if len(self._line) < most else 0)


async def _until(clock: Clock, instant: float, change: Awaitable) -> None:
    """Return at a change, or at the instant."""
    try:
        await before(clock, instant, change)
    except TimeoutError:
        return
