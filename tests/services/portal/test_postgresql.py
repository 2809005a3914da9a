"""The portal's core on PostgreSQL: by one setting, with the same results. Skipped where PostgreSQL does not start."""

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

KIT = Path(__file__).parents[3]
CORE = ("test_store.py", "test_problems.py", "test_board.py")
COMPARED = """
import json, sys
from pathlib import Path
from services.portal.command import prepare
prepare()
from django.db import connection
from services.portal.drill import state
from services.portal.ingestion import ingest, ingest_in_a_loop
from services.portal.models import Turn
from services.portal.trees import as_json, tree
from services.portal.store import said
run = ingest if sys.argv[2] == "beam" else ingest_in_a_loop
run([sys.argv[1]], Path(sys.argv[3]))
run([sys.argv[1]], Path(sys.argv[3]))
rows = {}
for turn in Turn.objects.select_related("conversation"):
    rows.setdefault(turn.conversation_id, []).append(said(turn))
trees = {name: as_json(name, "", tree(own)) for name, own in rows.items()}
print(connection.vendor, json.dumps([state(Path(sys.argv[3])), trees], sort_keys=True))
"""


def not_root() -> list[str]:
    """PostgreSQL refuses to be root's: run it as the user that its package made."""
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    try:
        import pwd

        user = pwd.getpwnam("postgres")
    except KeyError:
        user = None
    if not setpriv or user is None:
        pytest.skip("PostgreSQL does not run as root, and there is no user postgres and setpriv to run it as.")
    return [setpriv, f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The address of a PostgreSQL of its own, as DATABASE_URL has it."""
    initdb, postgres = shutil.which("initdb"), shutil.which("postgres")
    if not initdb or not postgres:
        pytest.skip("There is no PostgreSQL on this machine: initdb and postgres are not on PATH.")
    import tempfile

    other = not_root()
    with tempfile.TemporaryDirectory(prefix="pg-") as name, socket.socket() as free:
        folder = Path(name)
        folder.chmod(0o777)
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        made = subprocess.run(
            [
                *other,
                initdb,
                "-D",
                folder / "data",
                "-U",
                "portal",
                "--auth=trust",
                "--no-sync",
                "-E",
                "UTF8",
                "--locale=C",
            ],
            capture_output=True,
            text=True,
        )
        if made.returncode:
            pytest.skip(f"PostgreSQL cannot be set up here: {made.stderr.strip()[-200:]}")
        free.close()
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off".split()
        process = subprocess.Popen(
            [*other, postgres, "-D", folder / "data", *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            yield wait(f"postgres://portal@127.0.0.1:{port}/postgres", process)
        finally:
            process.terminate()
            process.wait()


def wait(address: str, process: subprocess.Popen) -> str:
    """The address, once somebody answers there."""
    import psycopg

    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        try:
            psycopg.connect(address).close()
            return address
        except psycopg.OperationalError:
            time.sleep(0.05)
    pytest.skip("PostgreSQL was set up and does not start here.")


def environment(folder, **more):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PORTAL_", "DATABASE_"))}
    return kept | {"PORTAL_DATA": str(folder), "PORTAL_SECRET_KEY": "k" * 60, **more}


def test_the_core_of_the_tests_passes_on_postgresql(server, tmp_path):
    names = [str(Path(__file__).parent / name) for name in CORE]
    # In one process: the conftest that deals tests out to several stays away.
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *names]
    command += ["--rootdir", str(KIT), "--confcutdir", str(Path(__file__).parent), "--import-mode=importlib"]
    done = subprocess.run(
        command, cwd=KIT, env=environment(tmp_path, DATABASE_URL=server), capture_output=True, text=True
    )
    assert done.returncode == 0 and "[100%]" in done.stdout, done.stdout[-3000:] + done.stderr[-1000:]


def test_a_damaged_log_gives_the_same_on_both(server, tmp_path):
    from services.portal.made_up import damaged, entries, lines

    log = tmp_path / "calls.jsonl"
    log.write_bytes(damaged(lines(list(entries(20, 6)))))
    told = {}
    for vendor, more, runner in (("sqlite", {}, "loop"), ("postgresql", {"DATABASE_URL": server}, "beam")):
        done = subprocess.run(
            [sys.executable, "-c", COMPARED, str(log), runner, str(tmp_path / f"{vendor}-dead")],
            cwd=KIT,
            env=environment(tmp_path / vendor, **more),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        found, told[vendor] = done.stdout.split(" ", 1)
        assert found == vendor
    assert told["sqlite"] == told["postgresql"]
