"""`course up` on an empty build folder: what a fresh clone should end with, and a second run that does nothing."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import urllib.request

import pytest

from course.kit import root

STUDENTS = 8
# A first run measures a small ladder and executes every lecture.
pytestmark = pytest.mark.timeout(3600)


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    """An empty build folder and a way to run `course` on it; a server that is left running is ended."""
    build = tmp_path_factory.mktemp("kit") / "build"
    environment = {**os.environ, "COURSE_BUILD": str(build), "COLUMNS": "160"}

    def course(*words, timeout=3000):
        command = [sys.executable, "-m", "course.command", *words]
        return subprocess.run(command, cwd=root(), env=environment, capture_output=True, text=True, timeout=timeout)

    yield build, course
    course("down")


@pytest.fixture(scope="module")
def first(kit):
    """The first run's output."""
    done = kit[1]("up", "--quick", "--port", "8850")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def second(first, kit):
    """What the second run changed: its output and the files that it wrote."""
    build, course = kit
    before = fingerprints(build)
    done = course("up", "--quick", "--port", "8850")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, before, fingerprints(build)


def fingerprints(build):
    kept = ("site", "labs", "class")
    files = [path for part in kept for path in (build / part).rglob("*") if path.is_file()]
    return {str(path.relative_to(build)): (path.stat().st_size, path.read_bytes()) for path in files}


def address(output):
    return re.search(r"http://127\.0\.0\.1:\d+/", output)[0]


PAGES = [
    "",
    "ladder/",
    *(f"lectures/{path.parent.name}/" for path in sorted(root().glob("notebooks/*/lecture.md"))),
    *(f"labs/{path.parent.name}/" for path in sorted(root().glob("labs/*/lab.md"))),
]


@pytest.mark.parametrize("page", PAGES)
def test_the_site_is_served_on_loopback(first, page):
    with urllib.request.urlopen(address(first) + page) as reply:
        assert reply.status == 200 and b"<h1" in reply.read()


def test_lecture_1_is_executed_on_its_page(first):
    with urllib.request.urlopen(address(first) + "lectures/01-sound-as-numbers/") as reply:
        page = reply.read().decode()
    assert page.count("<audio") >= 8 and page.count(".svg") >= 15
    assert "65,536 of 65,536 bytes agree" in page


def test_lab_1_is_released_without_its_solution(first, kit):
    release = (kit[0] / "labs/lab01-sound-as-numbers/lab01-sound-as-numbers.ipynb").read_text()
    assert "BEGIN SOLUTION" not in release and "NotImplementedError" in release


def test_the_demo_class_is_graded_with_gradebook_and_feedback(first, kit):
    folder = kit[0] / "class"
    with sqlite3.connect(f"file:{folder / 'gradebook.db'}?mode=ro", uri=True) as gradebook:
        students = gradebook.execute("SELECT COUNT(*) FROM student").fetchone()[0]
    assert students == STUDENTS
    summary = (folder / "summary.html").read_text()
    for lab in (path.parent.name for path in root().glob("labs/*/lab.md")):
        assert len(list(folder.glob(f"feedback/*/{lab}/*.html"))) == STUDENTS
        assert f"summary/{lab}.html" in summary
        page = (folder / "summary" / f"{lab}.html").read_text()
        assert all(path.name in page for path in (folder / "submitted").iterdir())


def test_the_ladder_has_a_record_for_every_cell_of_the_build(first, kit):
    page = (kit[0] / "site" / "ladder" / "index.html").read_text()
    assert "Moonshine" in page and "not measured" not in page


def test_it_says_where_everything_is(first):
    for word in ("site", "build/labs/", "gradebook.db", "feedback", "summary.html"):
        assert word in first


def test_a_second_run_changes_nothing_and_keeps_the_server(second, first):
    output, before, after = second
    assert address(output) == address(first)
    assert "unchanged" in output
    changed = [path for path in before | after if before.get(path) != after.get(path)]
    assert changed == []


def test_down_ends_the_server_and_only_that(second, kit):
    build, course = kit
    pid = json.loads((build / "serving.json").read_text())["pid"]
    assert "has ended" in course("down").stdout
    with pytest.raises(ProcessLookupError):
        os.kill(pid, signal.SIG_DFL)
    assert "No server" in course("down").stdout
