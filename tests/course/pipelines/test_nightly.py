"""The night's script: killed at every step it comes to the same bytes, and it does again only what has to be."""

import fcntl
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from course.errors import CourseError
from course.pipelines import nightly
from course.pipelines.command import pipelines
from course.pipelines.made_up import write_log, write_raw
from course.pipelines.nightly import SCRIPT, command, environment

STEPS = ["collect", "run", "verify", "generate", "again", "stream"]
SETTINGS = {"candidates": 15}
TREE = {"message_id": "q", "text": "may i have the number of my card", "role": "prompter", "lang": "en"}
REPLY = {"message_id": "a", "text": "what is your name please", "role": "assistant", "lang": "en"}


def inbox(folder: Path) -> Path:
    write_raw(folder / "inbox" / "calls", 12, n_files=2)
    write_log(folder / "inbox" / "logs" / "log.jsonl", 60)
    trees = folder / "inbox" / "trees"
    trees.mkdir()
    (trees / "trees.jsonl").write_text(json.dumps({"message_tree_id": "1", "prompt": TREE | {"replies": [REPLY]}}))
    (trees / "LICENCE").write_text("Apache-2.0\n")
    return folder


def night(folder: Path, **settings) -> subprocess.CompletedProcess:
    return subprocess.run(command(folder), env=environment(SETTINGS | settings), capture_output=True, text=True)


def done_again(folder: Path) -> list[str]:
    """The steps that another night does."""
    ended = night(folder)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    said = ended.stdout.splitlines()
    assert said[-1].startswith("The night is over")
    started = [line.split(":")[0] for line in said if line.endswith(": starts")]
    assert [f"{step}: nothing to do" for step in STEPS if step not in started] == [s for s in said if "nothing" in s]
    return started


def files(folder: Path) -> dict[str, bytes]:
    """What the night has made, without its log and lock."""
    found = [path for room in ("out", "work") for path in sorted((folder / room).rglob("*")) if path.is_file()]
    return {
        str(path.relative_to(folder)): path.read_bytes() for path in found if path.name not in ("nightly.log", "lock")
    }


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    folder = inbox(tmp_path_factory.mktemp("night"))
    assert done_again(folder) == STEPS
    return folder


@pytest.fixture
def copy(finished, tmp_path) -> Path:
    return shutil.copytree(finished, tmp_path / "copy")


def test_shellcheck_has_no_objection():
    lint = [str(Path(sys.executable).with_name("shellcheck")), "--enable=all", "--exclude=SC2250,SC2310,SC2312"]
    done = subprocess.run([*lint, str(SCRIPT)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_a_night_makes_a_verified_set_of_all_sources(finished):
    manifest = json.loads((finished / "out" / "dialogs" / "manifest.json").read_text())
    assert "Apache-2.0" in manifest["licences"] and "MIT" in manifest["licences"]
    assert (finished / "work" / "generated.jsonl").read_text().count("\n") > 0
    assert len((finished / "out" / "panes.jsonl").read_text().splitlines()) > 2
    stamps = sorted(path.name.rsplit("-", 1)[0] for path in (finished / "work" / "stamps").iterdir())
    assert stamps == sorted(STEPS)


def test_killed_at_every_step_and_started_again_it_comes_to_the_same_bytes(finished, tmp_path):
    folder, draw = inbox(tmp_path), random.Random(5)
    for step in STEPS:
        process = subprocess.Popen(
            command(folder),
            env=environment(SETTINGS),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        for line in process.stdout:
            if line == f"{step}: starts\n":
                break
        time.sleep(draw.uniform(0, 0.5) if step != STEPS[-1] else 0)
        assert process.poll() is None, "it was killed and had not ended"
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    assert done_again(folder) == ["stream"]
    assert files(folder) == files(finished)


def test_a_second_night_does_nothing(copy):
    before = {path: path.stat().st_mtime_ns for path in (copy / "out").rglob("*")}
    (copy / "inbox" / "calls" / "calls-0.jsonl").touch()
    assert done_again(copy) == []
    assert before == {path: path.stat().st_mtime_ns for path in (copy / "out").rglob("*")}


def test_a_changed_log_or_a_lost_result_does_again_only_what_depends_on_it(copy, finished):
    log = copy / "inbox" / "logs" / "log.jsonl"
    log.write_bytes(log.read_bytes() + log.read_bytes().splitlines()[0] + b"\n")
    assert done_again(copy) == ["stream"]
    shard = next((copy / "out" / "dialogs" / "shards").iterdir())
    shard.write_bytes(shard.read_bytes()[:-5])
    assert done_again(copy) == ["again"]
    assert shard.read_bytes() == (finished / shard.relative_to(copy)).read_bytes()


def test_new_calls_are_run_and_run_again_but_collected_and_streamed_no_more(copy):
    write_raw(copy / "inbox" / "calls" / "new", 3, 1, seed=9)
    shutil.move(copy / "inbox" / "calls" / "new" / "calls-0.jsonl", copy / "inbox" / "calls" / "new.jsonl")
    assert done_again(copy) == ["run", "verify", "generate", "again"]


def test_a_step_that_fails_says_where_and_the_next_night_goes_on_there(copy):
    (copy / "inbox" / "trees" / "LICENCE").unlink()
    failed = night(copy)
    assert failed.returncode == 1 and "Stopped at the step collect with status 1" in failed.stdout
    assert "A licence that lets others use trees.jsonl was expected" in (copy / "work" / "nightly.log").read_text()
    (copy / "inbox" / "trees" / "LICENCE").write_text("Apache-2.0\n")
    assert done_again(copy) == ["collect"], "it collected the same bytes, so nothing after it is done again"


def test_two_nights_at_once_are_one_too_many(copy):
    with (copy / "work" / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = night(copy)
        assert second.returncode == 75 and "Another night is at work" in second.stderr


def test_bad_folders_are_one_sentence(tmp_path):
    assert night(tmp_path / "none").returncode == 64
    empty = night(tmp_path)
    assert empty.returncode == 66 and "make-raw" in empty.stdout


def test_a_missing_program_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(nightly, "NEEDED", ("bash", "no-such-program"))
    with pytest.raises(CourseError, match="no-such-program"):
        command(tmp_path)


def test_the_command_hands_its_options_on():
    given = environment({"runner": "direct", "workers": 2})
    assert given["NIGHTLY_RUNNER"] == "direct" and given["NIGHTLY_WORKERS"] == "2"
    assert Path(given["COURSE"]).name == "course" and given["PATH"] == os.environ["PATH"]


def test_the_command_ends_as_the_script_ends(tmp_path, copy, capfd):
    assert CliRunner().invoke(pipelines, ["nightly", str(tmp_path / "copy"), "--candidates", "15"]).exit_code == 0
    assert capfd.readouterr().out.count("nothing to do") == len(STEPS)
    (tmp_path / "empty").mkdir()
    assert CliRunner().invoke(pipelines, ["nightly", str(tmp_path / "empty")]).exit_code == 66
