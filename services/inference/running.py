"""A batch that callers join and leave between steps: continuous batching (Lecture 10; Yu et al., Orca, 2022).

A `Job` is what one caller waits for, made part by part: a token of an answer, or the text of half a minute of sound. An
engine makes the next part of many jobs in one `Engine.step`. The `Runner` lets waiting jobs in before each step, and
lets those go that are finished, or whose caller has gone. So nobody waits until the longest answer of a batch is done.

What a job breaks is its own: a step that fails is done again for each of its jobs alone, and only who fails alone gets
the error.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

from services.inference.batching import Line
from services.inference.clock import Clock, before

MEMORY = 0.8  # of the running average of a job's seconds: how much of it each new job leaves
JOINING = 1  # jobs that join a running batch before a step: its others wait while a prompt is read
T = TypeVar("T")


class Job:
    """What one caller waits for. A subclass says in :meth:`add` what its parts are.

    Args:
        arrived: the instant at which it came.
        due: the instant at which its caller gives up.

    Attributes:
        began: when a batch took it in; None while it waits.
        gone: whether its caller has left, so that no more work should go into it.
        finished: whether its last part is there.
    """

    def __init__(self, arrived: float, due: float):
        self.arrived, self.due = arrived, due
        self.began: float | None = None
        self.gone = self.finished = False
        self.news: asyncio.Queue[Any] = asyncio.Queue()

    def add(self, part: Any) -> None:
        """Take in what a step made: tell the caller in :attr:`news`, set :attr:`finished` with the last part."""
        raise NotImplementedError


class Engine(Protocol):
    """A model that works on several jobs at once. These methods are called in one thread of its own.

    Attributes:
        model: its name, as callers ask for it.
        slots: jobs that fit side by side.
    """

    model: str
    slots: int

    def load(self) -> None:
        """Get ready; CourseError, with a sentence, where the model is not on this machine."""

    def begin(self, jobs: Sequence[Job]) -> list[Any]:
        """Take jobs in and make the first part of each; where it raises, none was taken in."""

    def step(self, jobs: Sequence[Job]) -> list[Any]:
        """The next part of each: either of all jobs that are in, in the order in which they came, or of one."""

    def end(self, job: Job) -> None:
        """Give a job's place back; a job that was never taken in has none."""


class Watcher(Protocol):
    """Who wants to know what a runner does; the service's metrics and logs."""

    def batch(self, model: str, size: int) -> None: ...

    def failed(self, model: str, error: Exception) -> None: ...


class Runner:
    """Works through a line of jobs with one engine, in one thread.

    Args:
        engine: loaded before :meth:`work` begins.
        line: where jobs wait.
        clock: of the service.
        watcher: is told the size of each batch, and each error.
    """

    def __init__(self, engine: Engine, line: Line[Job], clock: Clock, watcher: Watcher):
        self.engine, self.line = engine, line
        self._clock, self._watcher = clock, watcher
        self._jobs: list[Job] = []
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=engine.model)
        self._seconds_a_job = 0.0

    @property
    def active(self) -> int:
        """Jobs that are in the batch."""
        return len(self._jobs)

    async def run(self, function: Callable[..., T], *arguments) -> T:
        """Call a function in the engine's thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)

    def submit(self, job: Job) -> None:
        """Put a job into the line.

        Raises:
            Full: the line is as long as it may be.
        """
        self.line.put(job)

    def seconds_until_free(self) -> float:
        """When the line is likely to be shorter: the time that those who wait now will take, seconds."""
        return self._seconds_a_job * (len(self.line) / self.engine.slots + 1)

    async def parts(self, job: Job) -> AsyncIterator[Any]:
        """What a job's caller hears. Whoever stops listening, for whatever reason, takes the job out of the batch.

        Raises:
            TimeoutError: the job's time is over.
            Exception: what the engine raised for this job.
        """
        try:
            while not (job.finished and job.news.empty()):
                part = await before(self._clock, job.due, job.news.get())
                if isinstance(part, Exception):
                    raise part
                yield part
        finally:
            job.gone = True
            self.line.withdraw(job)

    async def work(self) -> None:
        """Serve until cancelled.

        Raises:
            Exception: a bug; all who wait are told.
        """
        try:
            while True:
                await self._round()
        except Exception as error:
            waiting = [job for job in [*self._jobs, *self.line.take_now(len(self.line))] if not job.finished]
            for job in waiting:
                job.finished = True
                job.news.put_nowait(error)
            raise
        finally:
            self._thread.shutdown(wait=False, cancel_futures=True)

    async def _round(self) -> None:
        """Make a part for each job that is in, let go who has finished, let in who waits."""
        await self._let_go()
        if running := list(self._jobs):
            await self._make(self.engine.step, running)
        await self._let_go()
        free = self.engine.slots - len(self._jobs)
        fresh = self.line.take_now(min(free, JOINING)) if self._jobs else await self.line.take(free)
        if fresh := [job for job in fresh if not job.gone]:
            for job in fresh:
                job.began = self._clock.now()
            self._jobs += fresh
            await self._make(self.engine.begin, fresh)

    async def _make(self, function: Callable[[Sequence[Job]], list[Any]], jobs: list[Job]) -> None:
        self._watcher.batch(self.engine.model, len(jobs))
        for job, part in zip(jobs, await self.run(each_on_its_own, function, jobs), strict=True):
            try:
                if isinstance(part, Exception):
                    raise part
                job.add(part)
            except Exception as error:
                self._watcher.failed(self.engine.model, error)
                job.finished = True
                job.news.put_nowait(error)

    async def _let_go(self) -> None:
        leaving = [job for job in self._jobs if job.finished or job.gone]
        for job in leaving:
            await self.run(self.engine.end, job)
            self._jobs.remove(job)
            seconds = self._clock.now() - job.began
            self._seconds_a_job = MEMORY * self._seconds_a_job + (1 - MEMORY) * seconds


def each_on_its_own(function: Callable[[Sequence[Job]], list[Any]], jobs: Sequence[Job]) -> list[Any]:
    """``function(jobs)``; where that raises, ``function([job])`` for each, and the errors of who raises alone."""
    try:
        return function(jobs)
    except Exception as error:
        if len(jobs) == 1:
            return [error]
        return [part for job in jobs for part in each_on_its_own(function, [job])]
