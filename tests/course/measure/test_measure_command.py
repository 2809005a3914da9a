"""``course measure``: its exits and sentences."""

import json

import pytest
from click.testing import CliRunner

from course.errors import CourseError
from course.measure.command import measure
from course.measure.record import read
from course.measure.rehearsal import NoSynchronisation

FAKE = ["run", "--device", "fake", "--backends", "slow,fast", "--prompt", "16"]


@pytest.fixture
def course(tmp_path, monkeypatch):
    """Runs the command with a build folder of its own; returns status and output."""
    monkeypatch.setenv("COURSE_BUILD", str(tmp_path / "build"))

    def call(*arguments):
        found = CliRunner().invoke(measure, [str(argument) for argument in arguments])
        if isinstance(found.exception, CourseError):
            return 1, str(found.exception)
        assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
        return found.exit_code, found.output

    return call


def test_from_run_to_verify(course, tmp_path):
    path, page = tmp_path / "mine.json", tmp_path / "mine.html"
    status, said = course(*FAKE, "--quick", "--lab", "lab10", "--nonce", "abc", "-o", path)
    assert status == 0 and "1 process is too few" in said and "not: processes" in said
    record = read(path)
    assert (record.lab, record.nonce) == ("lab10", "abc")
    assert not list((tmp_path / "build" / "measure" / "partial").glob("*"))
    status, said = course("show", path, "--html", page)
    assert status == 0 and page.read_text().startswith("<!doctype html>")
    status, said = course("verify", path, "--lab", "lab10", "--nonce", "abc")
    assert status == 1 and "does not hold" in said and "8 of 9 rules hold; not: processes." in said
    assert course("verify", path)[0] == 1
    status, said = course("verify", path, "--lab", "lab10", "--nonce", "def")
    assert status == 1 and "'def' was given out" in said


def test_a_record_that_holds(course, tmp_path, record):
    path = tmp_path / "honest.json"
    record.write(path)
    status, said = course("verify", path)
    assert status == 0 and "11 of 11 rules hold." in said


def test_a_planted_mistake_and_an_edit(course, tmp_path):
    path = tmp_path / "planted.json"
    NoSynchronisation(1).record().write(path)
    status, said = course("verify", path)
    assert status == 1 and "synchronised" in said
    content = json.loads(path.read_text())
    content["trials"][0]["drained"] = 0.0
    path.write_text(json.dumps(content))
    assert course("verify", path) == (
        1,
        f"{path} was changed after it was written: its digest is not that of its content.",
    )
    assert course("show", path)[0] == 1
    path.write_text(path.read_text()[:100])
    assert "is not whole" in course("show", path)[1]


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["run", "--device", "fake", "--backends", "quick"], 1, "No backend is called 'quick'"),
        ([*FAKE, "--batches", "1,two"], 2, "is no list of numbers"),
        ([*FAKE, "--rounds", "0"], 1, "This cannot be measured: rounds"),
        ([*FAKE, "--scenario", "often"], 2, "often"),
        (["run", "--device", "fake", "--backends", ","], 1, "This cannot be measured: backends"),
        (["verify", "nowhere.json"], 1, "cannot be read: No such file"),
        (["show"], 2, "Missing argument"),
    ],
)
def test_what_cannot_be_done(course, arguments, status, words):
    found, said = course(*arguments)
    assert found == status and words in said


def test_rehearse_prints_the_matrix(course):
    status, said = course("rehearse", "--seed", "2")
    assert status == 0 and "coordinated omission" in said and "nothing:" in said


def test_a_leaderboard_is_printed_and_kept(course, tmp_path, record):
    (tmp_path / "in").mkdir()
    record.write(tmp_path / "in" / "ada.json")
    status, said = course("leaderboard", tmp_path / "in", "-o", tmp_path / "board.json")
    assert status == 0 and "ada: The record names no lab; measure with --lab." in said
    status, said = course("leaderboard", tmp_path / "in", "--json")
    assert (
        status == 0
        and json.loads(said)["labs"].keys() == json.loads((tmp_path / "board.json").read_text())["labs"].keys()
    )
    assert course("leaderboard", tmp_path / "out")[0] == 1
