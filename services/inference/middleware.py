"""Around every request: ids, limits on its body, an end in OpenAI's shape whatever happens, a log entry and numbers."""

import asyncio
import contextlib
import json
import math
import re
import secrets
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.inference.clock import Clock, before
from services.inference.logs import Log, trace_of
from services.inference.metrics import Metrics
from services.inference.problems import CLIENT_GONE, Problem

ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
LINGERING = {"body_too_large"}  # problems that come while a client is sending, and behind which the connection ends
LINGER_SECONDS, LINGER_BYTES = 2.0, 256 * 2**20  # how long, and for how much, a refused body is still read
QUIET = {"/healthz", "/readyz", "/metrics"}  # asked every few seconds by machines: logged only when they fail


@dataclass
class Facts:
    """What is known of a request by its end, for its log entry. Routes add to ``payload`` and set ``problem``."""

    request_id: str
    trace: str
    span: str
    began: float
    route: str = "other"
    problem: str = ""
    status: int = 0
    sent: int = 0
    received: int = 0
    payload: dict[str, Any] = field(default_factory=dict)


class Around:
    """The ASGI middleware.

    Args:
        app: what it is around.
        limits: path to the most bytes of its body; other routes read none.
        body_seconds: in which a body has to arrive.
        routes: paths that are labels of metrics.
        clock, log, metrics: of the service.
    """

    def __init__(
        self,
        app: ASGIApp,
        limits: dict[str, int],
        body_seconds: float,
        routes: set[str],
        clock: Clock,
        log: Log,
        metrics: Metrics,
    ):
        self.app, self.limits, self.body_seconds, self.routes = app, limits, body_seconds, routes
        self.clock, self.log, self.metrics = clock, log, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        facts = self._facts(scope, headers)
        scope.setdefault("state", {})["facts"] = facts
        sender = Sender(send, facts)
        limit = self.limits.get(scope["path"], math.inf)
        body = Body(receive, facts, limit, self.clock, facts.began + self.body_seconds)
        try:
            body.check_length(headers.get("content-length", "0"))
            await self.app(scope, body, sender)
        except Problem as problem:
            facts.problem = problem.code
            await sender.problem(problem, body)
        except asyncio.CancelledError:  # by the server, whose time to drain is over
            facts.problem = "shutting_down"
            if not facts.status:
                await sender.problem(Problem("shutting_down", "The service ends before the answer is there."), body)
            raise
        except Exception as error:
            facts.problem = "internal_error"
            self.log.error("internal_error", error, request_id=facts.request_id)
            sentence = f"The service has a bug. Its log has more under the request id {facts.request_id}."
            await sender.problem(Problem("internal_error", sentence), body)
        finally:
            self._note(scope, headers, facts)

    def _facts(self, scope: Scope, headers: dict[str, str]) -> Facts:
        trace, span = trace_of(headers.get("traceparent", ""))
        named = headers.get("x-request-id", "")
        request_id = named if ID.fullmatch(named) else f"req-{secrets.token_hex(12)}"
        route = scope["path"] if scope["path"] in self.routes else "other"
        return Facts(request_id, trace, span, self.clock.now(), route)

    def _note(self, scope: Scope, headers: dict[str, str], facts: Facts) -> None:
        seconds = self.clock.now() - facts.began
        # A stream that breaks off has said 200 long before.
        status = CLIENT_GONE if facts.problem == "client_gone" else facts.status
        self.metrics.requests.labels(facts.route, str(status)).inc()
        self.metrics.seconds.labels(facts.route).observe(seconds)
        if facts.problem:
            self.metrics.problems.labels(facts.problem).inc()
        if scope["path"] in QUIET and not facts.problem:
            return
        http = {
            "requestMethod": scope["method"][:20],
            "requestUrl": scope["path"][:200],
            "status": status,
            "requestSize": str(facts.received),
            "responseSize": str(facts.sent),
            "userAgent": headers.get("user-agent", "")[:200],
            "latency": f"{seconds:.6f}s",
        }
        payload = {"event": "request", "request_id": facts.request_id, "seconds": round(seconds, 6), **facts.payload}
        if facts.problem:
            payload["problem"] = facts.problem
        self.log.write(_severity(status, facts.problem), payload, facts.trace, facts.span, http)


def _severity(status: int, problem: str) -> str:
    if status >= 500 or problem in ("engine_failed", "internal_error", "timed_out"):
        return "ERROR"
    if status == CLIENT_GONE:
        return "NOTICE"
    return "WARNING" if status >= 400 else "INFO"


class Body:
    """``receive`` of a request whose body may be too large or too slow."""

    def __init__(self, receive: Receive, facts: Facts, limit: int, clock: Clock, due: float):
        self._receive, self._facts, self._limit, self._clock, self._due = receive, facts, limit, clock, due
        self._whole = False

    def check_length(self, announced: str) -> None:
        """Refuse by what the header says, before a byte is read."""
        if announced.isdecimal():
            self._check(int(announced[:20]))

    async def __call__(self) -> Message:
        if self._whole:  # from here on, only the client's leaving is news
            return await self._receive()
        try:
            message = await before(self._clock, self._due, self._receive())
        except TimeoutError:
            raise Problem("slow_client", "The whole body was expected in time and it came too slowly.") from None
        if message["type"] == "http.disconnect":
            raise Problem("client_gone", "The client closed the connection before its request was whole.")
        self._facts.received += len(message.get("body", b""))
        self._whole = not message.get("more_body", False)
        self._check(self._facts.received)
        return message

    async def throw_away(self) -> None:
        """Read what still comes, for a moment and up to a limit."""
        due, left = self._clock.now() + LINGER_SECONDS, LINGER_BYTES
        with contextlib.suppress(TimeoutError):
            while not self._whole and left > 0:
                message = await before(self._clock, due, self._receive())
                left -= len(message.get("body", b""))
                self._whole = not message.get("more_body", False)

    def _check(self, n_bytes: int) -> None:
        if n_bytes > self._limit:
            came = f"at most {self._limit} bytes was expected and one of {n_bytes} bytes or more came"
            raise Problem("body_too_large", f"A body of {came}.")


class Sender:
    """``send`` of a request: adds the request's id to the head, and counts what goes out."""

    def __init__(self, send: Send, facts: Facts):
        self._send, self._facts = send, facts

    async def __call__(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self._facts.status = message["status"]
            message["headers"] = [*message.get("headers", []), (b"x-request-id", self._facts.request_id.encode())]
        elif message["type"] == "http.response.body":
            self._facts.sent += len(message.get("body", b""))
        await self._send(message)

    async def problem(self, problem: Problem, body: "Body") -> None:
        """Answer with a problem, unless an answer has begun: then only ending the connection says that it is broken.

        A client that is still sending would not see an answer behind which the connection is closed at once: what it
        sends is thrown away for a moment.
        """
        if self._facts.status:
            raise problem
        content = json.dumps(problem.body).encode()
        headers = {"content-type": "application/json", "content-length": str(len(content)), **(problem.headers or {})}
        pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        with contextlib.suppress(OSError):  # the client may have gone
            await self({"type": "http.response.start", "status": problem.status_code, "headers": pairs})
            await self({"type": "http.response.body", "body": content, "more_body": True})
            if problem.code in LINGERING:
                await body.throw_away()
            await self({"type": "http.response.body", "body": b""})
