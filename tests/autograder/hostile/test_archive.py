"""Archives and odd names as the collection of a class reads them, without grading anything."""

import os
import re
import signal
from pathlib import Path

import psutil
import pytest
from hostile_cases import CASES, archives
from hostile_cases.case import LAB_ID, Site

from autograder import archive
from autograder.collection import collect, kept_submissions
from autograder.intake import Rejected

ARCHIVES = {name: case for name, case in CASES.items() if case.subject == "archives"}
LIMIT = 1 << 20


@pytest.fixture
def collected(tmp_path, hostile_assignment):
    """Hand something in for somebody, and collect it."""

    def take(hand_in, student="ada"):
        folder = tmp_path / "submitted" / student / LAB_ID
        folder.mkdir(parents=True)
        hand_in(Site(tmp_path, 1, 2, ""), folder)
        strangers = []
        return list(collect(tmp_path, {LAB_ID: hostile_assignment}, strangers)), strangers

    return take


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_gives_its_one_notebook_or_a_reason(collected, tmp_path, name):
    case = ARCHIVES[name]
    (handed,), _ = collected(case.hand_in)
    if handed.rejected is None:
        content = (kept_submissions(tmp_path) / f"{handed.submission}.ipynb").read_bytes()
        assert content == archives.solution() or case.score == 0
        assert re.search("Taken out of", handed.notes[0])
    else:
        assert case.score == 0
        assert handed.rejected.status in case.statuses
        assert re.search(case.says, handed.rejected.sentence)
    assert {path.name for path in tmp_path.rglob("*") if path.suffix not in (".ipynb", "")} <= set(
        os.listdir(tmp_path / "submitted" / "ada" / LAB_ID)
    )


@pytest.mark.parametrize("name", ["archive-bomb", "archive-bomb-nested", "archive-tar-bomb", "archive-tar-header-bomb"])
def test_a_bomb_takes_no_memory_here(collected, name):
    before = psutil.Process().memory_info().rss
    collected(ARCHIVES[name].hand_in)
    # What was handed in is read, and 32 MiB of it at most.
    assert psutil.Process().memory_info().rss - before < 200 << 20


def never_ends(*_):
    while True:
        pass


def takes_all_memory(*_):
    return "x", bytes(16 << 30)


def dies(*_):
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("fault", [never_ends, takes_all_memory, dies])
def test_a_library_that_fails_on_an_archive_costs_only_that_archive(monkeypatch, fault):
    """Whatever the reading process does, it is the submission's loss."""
    monkeypatch.setattr(archive, "CPU_SECONDS", 1)
    monkeypatch.setattr(archive, "_read", fault)
    with pytest.raises(Rejected, match="too long, or too much memory") as rejected:
        archive.notebook_in(b"", "x.zip", "x.ipynb", LIMIT)
    assert rejected.value.status == "refused"
    assert not [one for one in psutil.Process().children() if one.status() == psutil.STATUS_RUNNING]


def test_only_the_students_asked_for_are_read(tmp_path, hostile_assignment):
    for student in ("ada", "bob"):
        folder = tmp_path / "submitted" / student / LAB_ID
        folder.mkdir(parents=True)
        (folder / f"{LAB_ID}.ipynb").write_bytes(archives.solution())
    handed = collect(tmp_path, {LAB_ID: hostile_assignment}, [], students="bob".__eq__)
    assert [one.student for one in handed] == ["bob"]


def test_names_that_join_letters_are_names(collected):
    (handed,), strangers = collected(lambda site, folder: None, student="نمی\u200cدانم 👩\u200d💻")
    assert handed.rejected.status == "malformed"
    assert not strangers


def test_many_notebooks_are_not_all_read(collected):
    def hand_in(_site, folder: Path):
        for number in range(archive.MOST_MEMBERS):
            (folder / f"{number}.ipynb").write_text("{}")

    (handed,), _ = collected(hand_in)
    assert "several things" in handed.rejected.sentence


def test_a_name_on_the_disk_that_is_no_text_can_be_told(collected):
    def hand_in(_site, folder: Path):
        (folder / os.fsdecode(b"\xff\n.pdf")).write_text("")

    (handed,), strangers = collected(hand_in)
    assert handed.rejected.sentence.isprintable()
    assert not strangers
