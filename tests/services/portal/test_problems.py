"""When something is wrong: a status, a sentence, nothing lost."""

import json
import logging
import sqlite3

import pytest
from django.db import DatabaseError, OperationalError, ProgrammingError, connection

from services.portal import problems
from services.portal.logs import Entries
from services.portal.models import Conversation

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (OperationalError("database is locked"), problems.LOCKED),
        (OperationalError("database or disk is full"), problems.FULL),
        (OperationalError('could not extend file "base/1": No space left on device'), problems.FULL),
        (OperationalError("attempt to write a readonly database"), problems.READ_ONLY),
        (OperationalError("deadlock detected"), problems.LOCKED),
        (OperationalError("no such table: portal_turn"), problems.OLD),
        (ProgrammingError('relation "portal_turn" does not exist'), problems.OLD),
        (OperationalError("connection to server failed: Connection refused"), problems.AWAY),
        (sqlite3.OperationalError("unable to open database file"), problems.AWAY),
        (DatabaseError("UNIQUE constraint failed"), None),
        (ValueError("database is locked"), None),
        (None, None),
    ],
)
def test_what_a_database_says_in_a_sentence(said, sentence):
    assert problems.database_sentence(said) == sentence


@pytest.mark.parametrize("address", ["/conversations/", "/api/conversations/", "/readyz"])
def test_a_database_in_trouble_is_503_and_says_so(address, as_, monkeypatch):
    client = as_("iris")
    client.raise_request_exception = False
    assert client.get(address).status_code == 200

    def locked(execute, sql, params, many, context):
        if "session" not in sql and "portal_account" not in sql:
            raise OperationalError("database is locked")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(locked):
        answer = client.get(address)
    assert answer.status_code == 503 and b"busy with another writer" in answer.content
    if address != "/readyz":
        assert answer["Retry-After"] == "10"


def test_a_database_that_says_nothing_at_all_is_503_too(as_):
    """Not even the account can be looked up for the page that tells it."""
    client = as_("iris")
    client.raise_request_exception = False

    def away(execute, sql, params, many, context):
        raise OperationalError("unable to open database file")

    with connection.execute_wrapper(away):
        answer = client.get("/conversations/")
    assert answer.status_code == 503 and b"cannot be reached" in answer.content


def test_a_bug_is_500_with_the_id_under_which_the_log_has_it(as_, monkeypatch):
    client = as_("iris")
    client.raise_request_exception = False
    monkeypatch.setattr(Conversation.objects.__class__, "seen_by", lambda *_: 1 / 0, raising=False)
    answer = client.get("/api/conversations/", headers={"X-Request-Id": "req-7"})
    assert answer.status_code == 500 and "req-7" in answer.json()["error"]["message"]
    assert "ZeroDivision" not in answer.content.decode()


def test_requests_are_logged_as_the_inference_service_logs_them(as_):
    lines = []
    handler = logging.Handler()
    handler.setFormatter(Entries("test-project"))
    handler.emit = lambda record: lines.append(json.loads(handler.format(record)))
    logging.getLogger("portal").addHandler(handler)
    try:
        client = as_("ada")
        trace = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
        client.get("/conversations/?q=private+words", headers={"traceparent": trace, "X-Request-Id": "req-1"})
        client.get("/healthz")
        client.get("/nothing")
    finally:
        logging.getLogger("portal").removeHandler(handler)
    first, second = lines
    assert first["jsonPayload"] | {"seconds": 0} == {"event": "request", "request_id": "req-1", "seconds": 0}
    assert first["trace"] == "projects/test-project/traces/" + "a" * 32 and first["severity"] == "INFO"
    assert first["httpRequest"]["status"] == 200 and "private" not in json.dumps(first)
    assert second["httpRequest"]["status"] == 404 and second["insertId"] > first["insertId"]
    from services.portal.entries import OTHER, parse_entry

    assert parse_entry(json.dumps(first).encode()) == OTHER


def test_what_libraries_log_is_an_entry_with_its_trace():
    try:
        raise ValueError("odd")
    except ValueError as error:
        record = logging.LogRecord("uvicorn", logging.ERROR, "", 0, "it broke", (), (type(error), error, None))
    entry = json.loads(Entries().format(record))
    assert entry["severity"] == "ERROR" and entry["jsonPayload"]["logger"] == "uvicorn"
    assert "ValueError: odd" in entry["jsonPayload"]["stack_trace"]
