"""Logs in the shape of Google Cloud Logging's LogEntry, a JSON object a line; the portal makes its trees from them.

Source: Google Cloud, Cloud Logging API v2, LogEntry. 64-bit numbers are strings there.
"""

import itertools
import json
import logging
import re
import secrets
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TextIO

TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")  # W3C Trace Context, version 00
LONGEST_TRACE = 4_000  # letters of a stack trace


class Log:
    """Writes entries, each in one write, so that entries of one process never mix.

    Args:
        project: of the cloud, in names of logs and traces.
        stream: standard output if not given.
        lost: called for an entry that could not be written: a full disk must not end the service.
        wall: the time of day.
    """

    def __init__(
        self,
        project: str = "local",
        stream: TextIO | None = None,
        lost: Callable[[], None] = lambda: None,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ):
        self.project, self._stream, self._lost, self._wall = project, stream, lost, wall
        self._process, self._numbers = secrets.token_hex(8), itertools.count()

    def write(self, severity: str, payload: dict[str, Any], trace: str = "", span: str = "", http: dict | None = None):
        """Write one entry.

        Args:
            severity: DEBUG, INFO, NOTICE, WARNING, ERROR or CRITICAL.
            payload: what happened; "event" names it.
            trace, span: hexadecimal ids of the request, if it belongs to one.
            http: the httpRequest part.
        """
        entry = {
            "insertId": f"{self._process}-{next(self._numbers):012d}",
            "logName": f"projects/{self.project}/logs/inference",
            "resource": {"type": "generic_task", "labels": {"project_id": self.project, "job": "inference"}},
            "timestamp": self._wall().astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "severity": severity,
            "jsonPayload": payload,
        }
        if trace:
            entry |= {"trace": f"projects/{self.project}/traces/{trace}", "spanId": span}
        if http:
            entry["httpRequest"] = http
        try:
            line = json.dumps(entry, ensure_ascii=True, allow_nan=False) + "\n"
            stream = self._stream or sys.stdout
            stream.write(line)
            stream.flush()
        except (OSError, ValueError):
            self._lost()

    def error(self, event: str, error: BaseException, **payload) -> None:
        """Write an entry about an error, with the end of its stack trace."""
        stack = "".join(traceback.format_exception(error))[-LONGEST_TRACE:]
        self.write("ERROR", {"event": event, "message": str(error), "stack_trace": stack, **payload})


class Handler(logging.Handler):
    """Hands what libraries log, uvicorn for example, to a `Log`."""

    def __init__(self, log: Log, level: int = logging.WARNING):
        super().__init__(level)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        payload = {"event": "library", "logger": record.name, "message": record.getMessage()}
        if record.exc_info and record.exc_info[1]:
            self._log.error("library", record.exc_info[1], logger=record.name)
        else:
            self._log.write(record.levelname, payload)


def trace_of(traceparent: str) -> tuple[str, str]:
    """Trace and span of a request: the caller's trace if the header has one, else a new one; the span is always new."""
    found = TRACEPARENT.fullmatch(traceparent)
    usable = found and set(found[1]) != {"0"} and set(found[2]) != {"0"}
    return (found[1] if usable else secrets.token_hex(16)), secrets.token_hex(8)
