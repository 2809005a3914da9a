"""The background server: started once, found again, ended by its own record and never by a recycled process id."""

import json
import os
import socket
import urllib.request

import psutil
import pytest

from course.command import background
from course.errors import CourseError


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A built site of one page, and the record of its server."""
    monkeypatch.setenv("COURSE_BUILD", str(tmp_path))
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("<!doctype html><title>a page</title>")
    record = tmp_path / "serving.json"
    yield record
    background.stop(record)


def test_it_serves_until_it_is_stopped(site):
    server = background.start(site, 8900)
    assert "a page" in urllib.request.urlopen(server.address).read().decode()
    assert background.start(site, 8900) == server
    assert background.stop(site) == server
    assert background.running(site) is None
    with pytest.raises(OSError):
        urllib.request.urlopen(server.address)


def test_a_taken_port_gives_way_to_the_next():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert background.free_port(port) > port


def test_only_loopback_is_served(site):
    server = background.start(site, 8930)
    every = {entry.address for entries in psutil.net_if_addrs().values() for entry in entries}
    others = [address for address in every if address.count(".") == 3 and not address.startswith("127.")]
    for address in others:
        with socket.socket() as probe:
            assert probe.connect_ex((address, server.port)) != 0


def test_a_recycled_process_id_is_not_the_server(site):
    site.write_text(json.dumps({"pid": os.getpid(), "started": 1.0, "port": 9}))
    assert background.running(site) is None
    assert background.stop(site) is None
    assert not site.exists()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}'])
def test_a_broken_record_counts_as_none(tmp_path, content):
    record = tmp_path / "serving.json"
    record.write_text(content)
    assert background.running(record) is None


def test_a_server_that_dies_says_why(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_BUILD", str(tmp_path / "nothing-built"))
    (tmp_path / "nothing-built").mkdir()
    with pytest.raises(CourseError, match="did not answer"):
        background.start(tmp_path / "serving.json", 8960)
