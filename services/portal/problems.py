"""What people are told when something is wrong: a status, a sentence, as a page or, below /api/, as JSON."""

import sqlite3
import sys
from collections.abc import Callable

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django_ratelimit.exceptions import Ratelimited

RETRY_SECONDS = 10
SENTENCES = {
    400: "The request cannot be read. Go back, load the page again and try once more.",
    403: "This page is not for this account.",
    404: "There is no such page, or it is not yours to see.",
    405: "This address is asked for in another way.",
    413: "What was sent is larger than what is taken here.",
    429: "That were more requests than one person makes. Wait a minute and try again.",
    500: "The portal has a bug. Its log has more under the request id {request_id}.",
}
FULL = "The disk or the database is full, and nothing was changed. Whoever runs the portal has to make room."
LOCKED = "The database is busy with another writer, and nothing was changed. Try again in a few seconds."
READ_ONLY = "The database cannot be written, and nothing was changed. Whoever runs the portal has to see to its files."
AWAY = "The database cannot be reached, and nothing was changed. Try again in a minute."
OLD = "The database is that of another version of the portal. `course portal up` brings it up to date."
# What SQLite and PostgreSQL say, in small letters, and what it means.
SAID = (
    ("full", FULL),
    ("no space left", FULL),
    ("locked", LOCKED),
    ("busy", LOCKED),
    ("deadlock", LOCKED),
    ("lock timeout", LOCKED),
    ("readonly", READ_ONLY),
    ("read-only", READ_ONLY),
    ("no such table", OLD),
    ("no such column", OLD),
    ("does not exist", OLD),
)


def database_sentence(error: BaseException | None) -> str | None:
    """What is wrong with the database, in a sentence; None where it is something else."""
    if not isinstance(error, DatabaseError | sqlite3.Error) or isinstance(error, sqlite3.ProgrammingError):
        return None
    said = str(error).lower()
    return next((sentence for words, sentence in SAID if words in said), AWAY if _is_operational(error) else None)


def _is_operational(error: BaseException) -> bool:
    return type(error).__name__ in ("OperationalError", "InterfaceError")


def problem(request: HttpRequest, status: int, sentence: str = "") -> HttpResponse:
    """The answer that tells what is wrong."""
    sentence = sentence or SENTENCES[status].format(request_id=getattr(request, "request_id", "unknown"))
    if request.path.startswith("/api/"):
        answer: HttpResponse = JsonResponse({"error": {"status": status, "message": sentence}}, status=status)
    else:
        answer = render(request, "portal/problem.html", {"status": status, "sentence": sentence}, status=status)
    if status in (429, 503):
        answer["Retry-After"] = str(RETRY_SECONDS)
    return answer


def _handler(status: int) -> Callable:
    def handle(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
        if isinstance(exception, Ratelimited):
            return problem(request, 429)
        if isinstance(exception, RequestDataTooBig):
            return problem(request, 413)
        return problem(request, status, str(exception) if isinstance(exception, PermissionDenied) else "")

    return handle


bad_request, forbidden, not_found = _handler(400), _handler(403), _handler(404)


def failed(request: HttpRequest) -> HttpResponse:
    """What Django calls behind an exception that nobody caught: a database that is in trouble is no bug."""
    sentence = database_sentence(sys.exc_info()[1])
    try:
        return problem(request, 503 if sentence else 500, sentence or "")
    except DatabaseError:  # of the session or the account that the page would show
        return HttpResponse(sentence or SENTENCES[500], status=503, content_type="text/plain; charset=utf-8")


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without its token."""
    return problem(request, 403, "The form was too old, or not this portal's. Load the page again and try once more.")
