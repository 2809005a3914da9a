"""Time as an argument, so that a bound on a wait can be tested without waiting."""

import asyncio
import heapq
import itertools
import math
import time
from collections.abc import Awaitable
from typing import Protocol, TypeVar

T = TypeVar("T")
FOR_EVER = math.inf
SETTLING = 50  # rounds of the event loop after each step of a fake clock; a wake-up passes through fewer tasks


class Clock(Protocol):
    """What the service asks of a clock."""

    def now(self) -> float:
        """Seconds since some moment; never goes back."""

    async def sleep_until(self, instant: float) -> None:
        """Return at that instant, or at once if it is past."""


class SystemClock:
    """The machine's monotonic clock."""

    def now(self) -> float:
        return time.monotonic()

    async def sleep_until(self, instant: float) -> None:
        await asyncio.sleep(max(0.0, instant - self.now()))


class FakeClock:
    """A clock that stands still until :meth:`advance` is called."""

    def __init__(self, start: float = 0.0):
        self._now, self._numbers = start, itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future]] = []

    def now(self) -> float:
        return self._now

    async def sleep_until(self, instant: float) -> None:
        if instant <= self._now:
            await asyncio.sleep(0)
            return
        alarm = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (instant, next(self._numbers), alarm))
        await alarm

    async def advance(self, seconds: float) -> None:
        """Let time pass; who sleeps wakes at the very instant, in order, and everybody comes to rest before the next.

        Raises:
            ValueError: less than 0 seconds.
        """
        if not seconds >= 0:
            raise ValueError(f"0 or more seconds were expected and {seconds} came: a clock does not go back.")
        end = self._now + seconds
        await self.settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            self._now, _, alarm = heapq.heappop(self._sleepers)
            if not alarm.done():
                alarm.set_result(None)
            await self.settle()
        self._now = end
        await self.settle()

    @staticmethod
    async def settle() -> None:
        """Let all tasks run until each waits for something."""
        for _ in range(SETTLING):
            await asyncio.sleep(0)


async def before(clock: Clock, instant: float, work: Awaitable[T]) -> T:
    """What ``work`` gives, if it gives it before the clock reaches ``instant``; otherwise ``work`` is cancelled.

    Raises:
        TimeoutError: it did not.
    """
    if instant == FOR_EVER:
        return await work
    task, alarm = asyncio.ensure_future(work), asyncio.ensure_future(clock.sleep_until(instant))
    try:
        await asyncio.wait({task, alarm}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise TimeoutError
    finally:
        task.cancel()
        alarm.cancel()
        await asyncio.gather(task, alarm, return_exceptions=True)
