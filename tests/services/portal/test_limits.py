"""Bodies that are too long end before Django sees them; the portal behind uvicorn starts, serves and ends."""

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from services.portal.limits import Limits

KIT = Path(__file__).parents[3]


async def echo(scope, receive, send):
    """An application that reads all of a body, as Django does."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(len(body)).encode()})


def post(path, parts, length=None):
    """Send a body in parts; what was answered, and how many parts were taken."""
    sent, taken = [], []
    headers = [(b"content-length", str(length).encode())] if length is not None else []

    async def receive():
        taken.append(1)
        return {"type": "http.request", "body": parts[len(taken) - 1], "more_body": len(taken) < len(parts)}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "path": path, "headers": headers}
    asyncio.run(Limits(echo, {"/records/": 100}, 10)(scope, receive, send))
    return sent[0]["status"], sent[1]["body"], len(taken)


@pytest.mark.parametrize(("path", "most"), [("/records/", 100), ("/login/", 10)])
def test_a_body_up_to_the_limit_and_not_a_byte_more(path, most):
    assert post(path, [b"x" * most], most)[:2] == (200, str(most).encode())
    status, text, taken = post(path, [b"x" * (most + 1)], most + 1)
    assert (status, taken) == (413, 0) and f"at most {most} bytes".encode() in text


def test_a_body_that_does_not_say_how_long_it_is_ends_at_the_limit():
    assert post("/login/", [b"xxxxx"] * 2)[:2] == (200, b"10")
    assert post("/login/", [b"xxxxx"] * 1000)[::2] == (413, 3)
    assert post("/login/", [b"x"], "two")[0] == 413


@pytest.fixture(scope="module")
def portal(tmp_path_factory):
    """A portal in a process of its own, with a log to read: its address, its folder and its process."""
    from services.portal.made_up import damaged, entries, lines

    folder = tmp_path_factory.mktemp("portal")
    (folder / "logs").mkdir()
    (folder / "logs" / "calls.jsonl").write_bytes(damaged(lines(list(entries(3, 3)))))
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PORTAL_", "DJANGO_", "DATABASE_"))
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "services.portal", "up", "--port", "0"],
        cwd=KIT,
        env=kept | {"PORTAL_DATA": str(folder), "PORTAL_CLASS_FOLDER": str(folder / "class")},
        stdout=(folder / "out").open("wb"),
        stderr=subprocess.PIPE,
        text=True,
    )
    read, listens = process.stderr.readline(), process.stderr.readline()
    assert "listens on" in listens, read + listens + process.stderr.read()
    try:
        yield next(word for word in listens.split() if word.startswith("http")).rstrip("/."), folder, process, read
    finally:
        process.kill()
        process.wait()


def test_up_reads_what_is_there_keeps_its_key_to_itself_and_serves(portal):
    address, folder, _, read = portal
    assert "9 of them in 3 conversations" in read and "dead letters" in read
    assert stat.S_IMODE((folder / "secret-key").stat().st_mode) == 0o600
    assert httpx.get(f"{address}/healthz").json() == {"status": "ok"}
    assert httpx.get(f"{address}/readyz").json() == {"ready": True, "database": "ready"}
    home = httpx.get(f"{address}/")
    assert home.status_code == 200 and "server" not in home.headers
    style = httpx.get(f"{address}/static/portal/portal.css")
    assert style.status_code == 200 and style.headers["content-type"].startswith("text/css")
    again = httpx.get(f"{address}/static/portal/portal.css", headers={"If-None-Match": style.headers["etag"]})
    assert again.status_code == 304 and not again.content
    assert httpx.head(f"{address}/static/portal/portal.css").headers["content-length"] == str(len(style.content))


def test_a_body_that_is_too_long_is_refused_by_the_server(portal):
    address = portal[0]
    answer = httpx.post(f"{address}/records/", content=b"x" * (9 << 20))
    assert answer.status_code == 413 and "at most" in answer.text
    assert httpx.get(f"{address}/healthz").status_code == 200


def test_a_locked_database_is_told_in_the_time_that_was_set_and_nothing_is_lost(portal):
    """Another writer holds the database; pages that only read are still served."""
    import sqlite3

    address, folder, *_ = portal
    environment = os.environ | {"PORTAL_DATA": str(folder), "PORTAL_BUSY_SECONDS": "0.2"}
    other = sqlite3.connect(folder / "portal.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        log = folder / "logs" / "calls.jsonl"
        command = [sys.executable, "-m", "services.portal", "ingest", "--runner", "loop", str(log)]
        done = subprocess.run(command, cwd=KIT, env=environment, capture_output=True, text=True)
        assert done.returncode == 1 and done.stderr.startswith("portal: The database is busy with another writer")
        assert "Traceback" not in done.stderr
        assert httpx.get(f"{address}/leaderboard/").status_code == 200
    finally:
        other.execute("ROLLBACK")
        other.close()
    done = subprocess.run(command, cwd=KIT, env=environment, capture_output=True, text=True)
    assert "9 of them in 3 conversations" in done.stdout


def test_sigterm_ends_it_and_its_log_is_made_of_entries(portal):
    address, folder, process, _ = portal
    process.send_signal(signal.SIGTERM)
    end = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < end:
        time.sleep(0.05)
    assert process.poll() == 0
    logged = [json.loads(line) for line in (folder / "out").read_text().splitlines()]
    assert {"/", "/leaderboard/"} <= {entry["httpRequest"]["requestUrl"] for entry in logged if "httpRequest" in entry}
