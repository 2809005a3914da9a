"""The models that the service has: each is loaded and worked with on its own; one that is missing stops no other."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

from course.errors import CourseError
from services.inference.batching import Full, Line
from services.inference.clock import Clock
from services.inference.engines import ChatEngine
from services.inference.logs import Log
from services.inference.metrics import Metrics
from services.inference.problems import Problem
from services.inference.running import Engine, Job, Runner

READY, LOADING = "ready", "loading"


class Served:
    """One engine behind its line.

    Args:
        engine: not loaded yet.
        capacity: of its line.
        max_wait: of its line, seconds.
        clock, log, metrics: of the service.

    Attributes:
        state: "ready", "loading", or the sentence that says what is missing.
    """

    def __init__(self, engine: Engine, capacity: int, max_wait: float, clock: Clock, log: Log, metrics: Metrics):
        self.engine, self.clock, self._log, self._metrics = engine, clock, log, metrics
        self.runner = Runner(engine, Line(capacity, max_wait, clock), clock, self)
        self.state = LOADING
        name = engine.model
        metrics.waiting.labels(name).set_function(lambda: len(self.runner.line))
        metrics.active.labels(name).set_function(lambda: self.runner.active)
        metrics.ready.labels(name).set_function(lambda: self.state == READY)

    async def live(self) -> None:
        """Load, then serve until cancelled."""
        began = self.clock.now()
        try:
            await self.runner.run(self.engine.load)
        except CourseError as error:
            self.state = str(error)
            self._log.write("ERROR", {"event": "model_missing", "model": self.engine.model, "message": self.state})
            return
        except Exception as error:
            self.state = f"The model {self.engine.model} could not be loaded; the log says why."
            self._log.error("model_missing", error, model=self.engine.model)
            return
        self.state = READY
        seconds = round(self.clock.now() - began, 3)
        self._log.write("INFO", {"event": "model_ready", "model": self.engine.model, "seconds": seconds})
        try:
            await self.runner.work()
        except Exception as error:
            self.state = (
                f"The model {self.engine.model} has stopped working; the log says why. Start the service again."
            )
            self._log.error("worker_ended", error, model=self.engine.model)

    def require(self) -> None:
        """Raise `model_loading` or `model_missing` unless it is ready."""
        if self.state == LOADING:
            raise Problem(
                "model_loading", f"The model {self.engine.model} is being loaded. Try again soon.", retry_after=2
            )
        if self.state != READY:
            raise Problem("model_missing", self.state)

    def require_room(self) -> None:
        """Raise `queue_full` if nobody more may wait, before any work goes into a request."""
        if len(self.runner.line) >= self.runner.line.capacity:
            raise self.refuse(len(self.runner.line))

    def refuse(self, waiting: int) -> Problem:
        """The polite answer to one caller too many."""
        seconds = self.runner.seconds_until_free()
        return Problem("queue_full", f"{waiting} requests wait already. Try again later.", retry_after=min(seconds, 60))

    async def parts(self, job: Job) -> AsyncIterator[Any]:
        """Put a job into the line and hear its parts.

        Raises:
            Problem: `queue_full`, `timed_out` or `engine_failed`.
        """
        try:
            self.runner.submit(job)
        except Full:
            raise self.refuse(len(self.runner.line)) from None
        try:
            async with contextlib.aclosing(self.runner.parts(job)) as parts:
                async for part in parts:
                    yield part
        except TimeoutError:
            seconds = job.due - job.arrived
            raise Problem(
                "timed_out", f"The answer was not there after {seconds:g} s. Ask for a shorter one."
            ) from None
        except Problem:
            raise
        except Exception as error:
            raise Problem("engine_failed", f"The model failed ({type(error).__name__}). The log says more.") from error
        finally:
            if job.began is not None:
                self._metrics.waits.labels(self.engine.model).observe(job.began - job.arrived)

    def batch(self, model: str, size: int) -> None:
        """See :class:`services.inference.running.Watcher`."""
        self._metrics.batches.labels(model).observe(size)

    def failed(self, model: str, error: Exception) -> None:
        """See :class:`services.inference.running.Watcher`."""
        self._metrics.failures.labels(model).inc()
        self._log.error("engine_failed", error, model=model)


class Models:
    """All that the service serves.

    Args:
        chat: with the engine of chats.
        speech: with the engine of recordings.
    """

    def __init__(self, chat: Served, speech: Served):
        self.chat, self.speech = chat, speech
        self.draining = False

    @property
    def engine(self) -> ChatEngine:
        """The chat's engine."""
        return self.chat.engine

    @property
    def all(self) -> Sequence[Served]:
        """Both."""
        return (self.chat, self.speech)

    def require(self, served: Served, model: str) -> None:
        """Raise unless a request for a model can be taken in."""
        if model != served.engine.model:
            names = ", ".join(one.engine.model for one in self.all)
            raise Problem(
                "model_not_found",
                f"This route has the model {served.engine.model}; {model[:80]!r} came. The service has {names}.",
                "model",
            )
        if self.draining:
            raise Problem("shutting_down", "The service is about to end. Ask another one.", retry_after=5)
        served.require()

    @contextlib.asynccontextmanager
    async def living(self) -> AsyncIterator[None]:
        """Load and serve, in the background, until the block is left."""
        tasks = [asyncio.create_task(one.live()) for one in self.all]
        try:
            yield
        finally:
            self.draining = True
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
