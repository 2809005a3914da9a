"""Set-up's refusals and its idempotence, on made-up machines."""

import collections
import os
import stat
import subprocess
import sys

import pytest

from course import bootstrap
from course.kit import root


@pytest.fixture
def empty_path(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def program(folder, name, output):
    file = folder / name
    file.write_text(f"#!/bin/sh\necho {output}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return str(file)


@pytest.mark.parametrize("version", ["2 7", "3 8", "3 10", "3 13"])
def test_python_outside_3_11_and_3_12_is_one_sentence(empty_path, monkeypatch, version):
    monkeypatch.setattr(bootstrap.sys, "executable", program(empty_path, "python3", version))
    with pytest.raises(bootstrap.Stop, match="Python 3.11 or 3.12 is needed"):
        bootstrap.find_python()


def test_a_newer_default_python_gives_way_to_one_that_fits(empty_path, monkeypatch):
    monkeypatch.setattr(bootstrap.sys, "executable", program(empty_path, "python3", "3 13"))
    fitting = program(empty_path, "python3.12", "3 12")
    assert bootstrap.find_python() == fitting


def test_no_disk_says_how_much_is_needed(monkeypatch):
    usage = collections.namedtuple("usage", "total used free")
    monkeypatch.setattr(bootstrap.shutil, "disk_usage", lambda _: usage(10e9, 9.7e9, 0.3e9))
    with pytest.raises(bootstrap.Stop, match=r"needs 8 GB and 0\.3 GB are free"):
        bootstrap.check_disk()


def test_a_missing_system_package_is_named_with_the_command_that_installs_it(empty_path, monkeypatch):
    monkeypatch.setattr(bootstrap.os, "geteuid", lambda: 1000)
    with pytest.raises(bootstrap.Stop, match=r"bubblewrap \(the grading sandbox\).*sudo apt-get install bubblewrap"):
        bootstrap.install_system_packages("course")


def test_chromium_is_asked_for_by_the_tests_only(empty_path):
    assert "chromium" not in {package[0] for package in bootstrap.system_packages("course")}
    assert "chromium" in {package[0] for package in bootstrap.system_packages("test")}


def test_an_optional_package_is_mentioned_and_not_required(monkeypatch, capsys):
    packages = [("asterisk-core-sounds-en-wav", "recorded telephone speech", False, True)]
    monkeypatch.setattr(bootstrap, "system_packages", lambda _: packages)
    bootstrap.report_missing("course")
    assert "asterisk-core-sounds-en-wav is not installed (recorded telephone speech)" in capsys.readouterr().out


def test_an_unreachable_index_is_one_sentence_and_leaves_no_stamp(tmp_path):
    """A real clone's set-up with an index that refuses connections, in an empty home."""
    kit = tmp_path / "kit"
    (kit / "course").mkdir(parents=True)
    for name in ("requirements.lock", "pyproject.toml", "course/bootstrap.py"):
        (kit / name).write_bytes((root() / name).read_bytes())
    (kit / "book/theme").mkdir(parents=True)
    closed = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_CONFIG_FILE": os.devnull, "PIP_RETRIES": "0"}
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PIP_FIND_LINKS": "", **closed}
    command = [sys.executable, "course/bootstrap.py", "course"]
    done = subprocess.run(command, cwd=kit, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("course set-up: ") and "Was the package index reached?" in last
    assert "Traceback" not in done.stderr
    assert not (kit / ".venv/course-stamp").exists()


def test_a_second_set_up_starts_nothing(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError(f"set-up ran {args}")

    monkeypatch.setattr(bootstrap, "run", refuse)
    monkeypatch.setattr(bootstrap.subprocess, "check_call", refuse)
    bootstrap.install_python_environment()
    bootstrap.install_javascript("course")


def test_a_changed_lock_sets_up_again(tmp_path, monkeypatch):
    stamp = tmp_path / "stamp"
    lock = tmp_path / "requirements.lock"
    lock.write_text("numpy==2.4.6\n")
    bootstrap.put_stamp(str(stamp), bootstrap.digest(str(lock)))
    assert bootstrap.stamped(str(stamp), bootstrap.digest(str(lock)))
    lock.write_text("numpy==2.4.7\n")
    assert not bootstrap.stamped(str(stamp), bootstrap.digest(str(lock)))


def test_indexes_that_pip_knows_are_handed_to_uv(monkeypatch):
    listing = "global.index-url='http://one/simple'\n:env:.find-links='/wheels /more'\nglobal.timeout='9'\n"
    monkeypatch.setattr(bootstrap.subprocess, "check_output", lambda *args, **kwargs: listing)
    expected = ["--default-index", "http://one/simple", "--find-links", "/wheels", "--find-links", "/more"]
    assert bootstrap.pip_settings() == expected
