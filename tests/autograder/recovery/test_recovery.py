"""Runs that are stopped anywhere: afterwards everything agrees and equals a run that nobody disturbed."""

import os
import random
import shutil
import sqlite3
from collections import Counter

import nbgrader.api
import pytest

from autograder.bench import recovery, syscalls
from autograder.bench.power import Disk, torn
from autograder.records.consistency import audit
from course import storage

KILLS, KILLS_WHILE_GRADING = 200, 8
SEEDS = (1, 2, 3, 4)  # the first in `make test`, all of them every night


def stop_often(scenario, ways, kills, seed):
    rng, counts, wrong = random.Random(seed), Counter(), []
    while sum(counts[way] for way in ways) < kills:
        with recovery.copied(scenario) as root:
            wrong += recovery.disturb(scenario, root, ways, rng.randint(3, 8), rng, counts)
    return counts, wrong


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.thorough) for seed in SEEDS[1:])])
def test_whatever_stops_a_run_the_next_ones_make_it_good(scenario, seed):
    counts, wrong = stop_often(scenario, recovery.STOPS, KILLS // len(SEEDS), seed)
    assert wrong == []
    assert all(counts[way] for way in recovery.STOPS), counts


def test_stopped_before_any_of_its_first_and_last_calls(scenario):
    """There it says that it has begun, and that it is done: random stops rarely hit them."""
    rng = random.Random(4)
    for number in (*range(1, 9), *range(scenario.calls - 3, scenario.calls + 1)):
        with recovery.copied(scenario) as root:
            assert recovery.stopped_at(scenario, root, number, None, rng)
            recovery.finish(scenario, root)
            assert audit(root) + recovery.differences(scenario.after, recovery.state(root)) == [], number


def test_killed_while_sandboxes_grade(scenario):
    counts, wrong = stop_often(scenario, recovery.REAL_STOPS, KILLS_WHILE_GRADING, seed=7)
    assert wrong == []


def test_a_first_run_that_is_stopped_makes_the_same_class(scenario, tmp_path, monkeypatch):
    """Nothing but submissions is there yet, and the gradebook has to be made."""
    # nbgrader asks a program for this, at the cost of seconds, for each new gradebook.
    version = nbgrader.api.get_alembic_version()
    monkeypatch.setattr(nbgrader.api, "get_alembic_version", lambda: version)

    def new_class(name):
        shutil.copytree(scenario.before / "submitted", tmp_path / name / "submitted", symlinks=True)
        return tmp_path / name

    undisturbed, rng = new_class("undisturbed"), random.Random(3)
    calls = sum(1 for _ in syscalls.trace(lambda: recovery.run(scenario, undisturbed), undisturbed))
    expected = recovery.state(undisturbed)
    for number in range(12):
        root = new_class(f"stopped-{number}")
        disk = Disk(root) if number % 2 else None
        # Half of them among the first calls, which make the gradebook.
        assert recovery.stopped_at(scenario, root, rng.randint(1, calls if number % 4 < 2 else 60), disk, rng)
        assert recovery.half_files(root) == []
        recovery.finish(scenario, root)
        assert audit(root) + recovery.differences(expected, recovery.state(root)) == []


def test_every_file_is_synced_before_it_gets_its_name_and_every_name_before_the_end(scenario, before):
    """The order of the system calls of a whole run: write, fsync, rename, fsync of the folder."""
    unsynced, renamed = set(), set()
    for call in syscalls.trace(lambda: recovery.run(scenario, before), before):
        path = call.paths[-1]
        if call.name in ("write", "pwrite64", "ftruncate"):
            unsynced.add(path)
        elif call.name in ("fsync", "fdatasync"):
            unsynced.discard(path)
            renamed = {one for one in renamed if one.parent != path}
        elif call.name in ("rename", "renameat", "renameat2"):
            assert call.paths[0] not in unsynced
            renamed.add(path)
    assert not renamed
    assert not {path for path in unsynced if path.exists()}


def test_gradebook_and_its_note_are_committed_before_the_ledger_says_so(scenario, before):
    """For each line that the ledger gets, a journal was removed, which commits, since the line before."""
    committed, lines = 0, 0
    for call in syscalls.trace(lambda: recovery.run(scenario, before), before):
        committed += call.name == "unlink" and call.paths[0].name == "gradebook.db-journal"
        if call.name == "write" and call.paths[0].name == "ledger.jsonl":
            lines += 1
            assert committed >= lines
    assert lines == len(scenario.after["ledger"]) - 4


def test_the_simulated_power_cut_finds_a_writer_that_does_not_sync(tmp_path, monkeypatch):
    """The test of the test: without fsync a power cut leaves half files under their final names."""
    monkeypatch.setattr(storage.os, "fsync", lambda _: None)
    root, content, rng, found = tmp_path / "root", b"0123456789" * 500, random.Random(1), set()
    for _ in range(30):
        root.mkdir()
        disk = Disk(root)
        for call in syscalls.trace(lambda: storage.write_atomic(root / "file", content), root):
            disk.before(call)
        disk.finish()
        disk.cut(rng)
        found.add((root / "file").read_bytes() if (root / "file").exists() else None)
        shutil.rmtree(root)
    assert content in found
    assert found - {content, None}


def test_the_simulated_power_cut_leaves_synced_files_alone(tmp_path):
    rng = random.Random(2)
    for number in range(20):
        root = tmp_path / str(number)
        root.mkdir()
        disk = Disk(root)
        for call in syscalls.trace(lambda root=root: storage.write_atomic(root / "a" / "file", "whole"), root):
            disk.before(call)
        disk.finish()
        disk.cut(rng)
        assert (root / "a" / "file").read_text() == "whole"


def test_torn_contents_are_mixtures(tmp_path):
    old, new = b"o" * 2000, b"n" * 3000
    found = [torn(old, new, random.Random(seed)) for seed in range(50)]
    assert {old, new} <= set(found)
    assert all(2000 <= len(one) <= 3000 and set(one) <= set(b"on\0") for one in found)
    assert any(set(one[2000:]) == {0} for one in found)


def test_a_program_that_fails_under_the_tracer_is_said_so(tmp_path, capfd):
    with pytest.raises(recovery.CourseError, match="failed"):
        list(syscalls.trace(lambda: 1 / 0, tmp_path))
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_the_tracer_names_files_however_a_call_names_them(tmp_path):
    def work():
        os.chdir(tmp_path)
        os.mkdir("a")
        folder = os.open("a", os.O_RDONLY)
        os.close(os.open("b", os.O_CREAT | os.O_WRONLY, dir_fd=folder))
        os.rename("b", "c", src_dir_fd=folder, dst_dir_fd=folder)
        os.unlink("a/c")
        open("/dev/null", "w").close()

    seen = [
        (call.name, [str(path.relative_to(tmp_path)) for path in call.paths]) for call in syscalls.trace(work, tmp_path)
    ]
    assert [paths for _, paths in seen] == [["a"], ["a/b"], ["a/b", "a/c"], ["a/c"]]


def test_a_database_of_a_killed_writer_is_whole_for_the_next(tmp_path):
    """SQLite's own promise, on which the gradebook stands, at each of the calls of a transaction."""
    path = tmp_path / "x.db"

    def work():
        database = sqlite3.connect(path)
        database.execute("PRAGMA synchronous = EXTRA")
        database.execute("CREATE TABLE IF NOT EXISTS t (a)")
        database.execute("INSERT INTO t VALUES (1)")
        database.commit()

    calls = sum(1 for _ in syscalls.trace(work, tmp_path))
    for last in range(1, calls + 1):
        path.unlink(missing_ok=True)
        tracer, disk = syscalls.trace(work, tmp_path), Disk(tmp_path)
        for number, call in enumerate(tracer, start=1):
            disk.before(call)
            if number == last:
                break
        tracer.close()
        disk.cut(random.Random(last))
        with sqlite3.connect(path) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        database.close()
