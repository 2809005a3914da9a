"""Disturbances that are not sudden: a full disk, a second grader, a clock set back, a gradebook that others hold."""

import contextlib
import datetime as dates
import os
import shutil
import sqlite3
import time

import pytest
from nbgrader.api import Gradebook

from autograder import namespaces
from autograder.bench import recovery
from autograder.class_folder import COURSE_ID
from autograder.records import backups, ledger
from autograder.records.backups import KEPT, Backups, damage
from autograder.records.consistency import audit
from autograder.records.marks import read_marks, reading
from course.errors import CourseError

LAB = "small-lab"
FREE = (0, 4, 8, 16, 32, 64, 96, 128, 192, 256, 320, 384, 448, 512, 640, 768)  # KiB


def in_a_child(work):
    """Do work in a forked process; return the text that it returns."""
    ours, theirs = os.pipe()
    pid = recovery.forked(lambda: os.write(theirs, work().encode()))
    os.close(theirs)
    with os.fdopen(ours) as answer:
        text = answer.read()
    assert os.waitpid(pid, 0)[1] == 0
    return text


def equal_to_undisturbed(scenario, root):
    return audit(root) + recovery.differences(scenario.after, recovery.state(root))


def on_a_small_disk(scenario, place, free):
    """In a file system of its own with so many KiB left: the sentence of the run, and what differs after a second."""
    uid, gid = os.getuid(), os.getgid()
    namespaces.unshare(*(["mount"] if uid == 0 else ["user", "mount"]))
    if uid:
        namespaces.map_own_ids(uid, gid)
    namespaces.make_mounts_private()
    namespaces.mount("tmpfs", str(place), "size=8m")
    root = place / "class"
    shutil.copytree(scenario.before, root, symlinks=True)
    with (place / "ballast").open("wb") as ballast, contextlib.suppress(OSError):
        left = os.statvfs(place)
        os.posix_fallocate(ballast.fileno(), 0, left.f_bavail * left.f_frsize - free * 1024)
    sentence = ""
    try:
        recovery.run(scenario, root)
    except CourseError as error:
        sentence = str(error)
    wrong = recovery.half_files(root)
    (place / "ballast").unlink()
    recovery.run(scenario, root)
    return "\n".join([sentence, *wrong, *equal_to_undisturbed(scenario, root)])


def test_a_full_disk_is_a_sentence_and_nothing_is_lost(scenario, tmp_path):
    full = 0
    for free in FREE:
        place = tmp_path / str(free)
        place.mkdir()
        sentence, *wrong = in_a_child(lambda place=place, free=free: on_a_small_disk(scenario, place, free)).split("\n")
        assert wrong == [], (free, sentence)
        assert sentence == "" or "no room left" in sentence, (free, sentence)
        full += bool(sentence)
    assert 6 <= full < len(FREE)


def test_of_two_graders_at_once_one_works(scenario, before):
    started = [recovery.forked(lambda: recovery.run(scenario, before)) for _ in range(3)]
    ends = [os.waitpid(pid, 0)[1] for pid in started]
    assert 0 in ends
    recovery.finish(scenario, before)
    assert equal_to_undisturbed(scenario, before) == []


def test_a_clock_that_was_set_back_changes_nothing(scenario, before, monkeypatch):
    class Earlier(dates.datetime):
        """A clock of the year 2001."""

        @classmethod
        def now(cls, tz=None):
            return cls(2001, 1, 1, tzinfo=tz)

    copies = Backups(before / "gradebook.db")
    for _ in range(KEPT + 3):
        copies.make()
    monkeypatch.setattr(ledger, "datetime", Earlier)
    monkeypatch.setattr(backups, "datetime", Earlier)
    old = (before / "gradebook.db").read_bytes()
    recovery.finish(scenario, before)
    assert equal_to_undisturbed(scenario, before) == []
    newest = copies.last_good()
    assert "2001" in newest.name
    with reading(newest) as copy, reading(before / "gradebook.db") as now:
        assert (LAB, "eli") in read_marks(now)
        assert (LAB, "eli") not in read_marks(copy)
    assert len(old) > 0


def test_copies_are_thinned_out_and_the_first_of_a_day_stays(before, monkeypatch):
    copies = Backups(before / "gradebook.db")
    first = copies.all()[0]
    for _ in range(2 * KEPT):
        copies.make()
    assert first in copies.all()
    assert KEPT <= len(copies.all()) <= KEPT + 2
    assert all(damage(copy) is None for copy in copies.all())


def test_formgrader_that_writes_again_and_again_disturbs_nobody(scenario, before):
    """Another program holds the database for a moment, all the time."""

    def hold():
        end = time.monotonic() + 60
        with contextlib.closing(sqlite3.connect(before / "gradebook.db", isolation_level=None)) as database:
            while time.monotonic() < end:
                with contextlib.suppress(sqlite3.OperationalError):
                    database.execute("BEGIN EXCLUSIVE")
                    time.sleep(0.02)
                    database.execute("COMMIT")
                time.sleep(0.01)

    other = recovery.forked(hold)
    try:
        recovery.finish(scenario, before)
    finally:
        os.kill(other, 9)
        os.waitpid(other, 0)
    assert equal_to_undisturbed(scenario, before) == []


def test_what_a_person_enters_during_a_run_is_there_afterwards(scenario, before):
    """Formgrader's own calls, again and again while a run enters scores: no mark of theirs or ours is lost."""

    def mark():
        with Gradebook(f"sqlite:///{before / 'gradebook.db'}", COURSE_ID) as gradebook:
            for number in range(1000):
                for student in ("ana", "ben", "cem", "dua"):
                    gradebook.find_grade("judgement", LAB, LAB, student).extra_credit = number
                    gradebook.db.commit()
                    os.write(theirs, f"{student} {number}\n".encode())

    ours, theirs = os.pipe()
    person = recovery.forked(mark)
    os.close(theirs)
    recovery.finish(scenario, before)
    os.kill(person, 9)
    os.waitpid(person, 0)
    with os.fdopen(ours) as answer:
        last = dict(line.split() for line in answer.read().splitlines())
    with reading(before / "gradebook.db") as session:
        marks = read_marks(session)
    assert last.keys() == {"ana", "ben", "cem", "dua"}
    for student, number in last.items():
        # The one that was being written when the person was stopped may be there already.
        assert marks[LAB, student]["judgement"].extra in (int(number), int(number) + 1)
    assert audit(before) == []


@pytest.mark.parametrize("mode", ["EXCLUSIVE", "IMMEDIATE"])
def test_a_gradebook_that_is_held_is_a_sentence_and_the_next_run_goes_on(scenario, before, mode):
    with contextlib.closing(sqlite3.connect(before / "gradebook.db", isolation_level=None)) as other:
        other.execute(f"BEGIN {mode}")
        with pytest.raises(CourseError, match="being written by another program"):
            recovery.run(scenario, before)
        other.execute("ROLLBACK")
    recovery.finish(scenario, before)
    assert equal_to_undisturbed(scenario, before) == []
