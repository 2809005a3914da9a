"""Logs as the inference service writes them: Google Cloud Logging's LogEntry, a JSON object a line."""

import itertools
import json
import logging
import secrets
import traceback
from datetime import UTC, datetime
from typing import Any

LONGEST_TRACE = 4_000  # letters of a stack trace
SEVERITIES = {"WARN": "WARNING", "FATAL": "CRITICAL"}


class Entries(logging.Formatter):
    """Makes an entry of whatever is logged.

    A record's ``entry`` (``logger.info("request", extra={"entry": {...}})``) is taken into it: "jsonPayload",
    "httpRequest", "trace" and "spanId".

    Args:
        project: of the cloud, in names of logs and traces.
    """

    def __init__(self, project: str = "local"):
        super().__init__()
        self._project = project
        self._process, self._numbers = secrets.token_hex(8), itertools.count()

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON."""
        more: dict[str, Any] = dict(getattr(record, "entry", {}))
        payload = {"event": record.getMessage()} if more else {"event": "library", "message": record.getMessage()}
        payload |= {"logger": record.name} if not more else {}
        if record.exc_info and record.exc_info[1]:
            payload["stack_trace"] = "".join(traceback.format_exception(record.exc_info[1]))[-LONGEST_TRACE:]
        if "trace" in more:
            more["trace"] = f"projects/{self._project}/traces/{more['trace']}"
        entry = {
            "insertId": f"{self._process}-{next(self._numbers):012d}",
            "logName": f"projects/{self._project}/logs/portal",
            "resource": {"type": "generic_task", "labels": {"project_id": self._project, "job": "portal"}},
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z"),
            "severity": SEVERITIES.get(record.levelname, record.levelname),
            **more,
            "jsonPayload": payload | more.get("jsonPayload", {}),
        }
        return json.dumps(entry, ensure_ascii=True, default=str)
