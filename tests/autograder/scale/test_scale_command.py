"""``course grade --class --runner`` as a person runs it: to the gradebook, stopped half-way, and used wrongly."""

import json
import shutil
import subprocess
import sys
import time

import psutil
import pytest
from click.testing import CliRunner
from nbgrader.api import Gradebook

from autograder.class_folder import COURSE_ID
from autograder.command import grade
from course.errors import CourseError

LAB = "small-lab"
PATIENCE = 300.0


def run(*words):
    return CliRunner().invoke(grade, [str(word) for word in words])


@pytest.fixture(scope="module")
def new_gradebook(tmp_path_factory):
    """An empty gradebook: nbgrader takes seconds to make one."""
    path = tmp_path_factory.mktemp("empty") / "gradebook.db"
    Gradebook(f"sqlite:///{path}", COURSE_ID).close()
    return path


@pytest.fixture
def class_folder(tmp_path, small_kit, submission, new_gradebook):
    root = tmp_path / "class"
    for number in range(4):
        folder = root / "submitted" / f"student-{number}" / LAB
        folder.mkdir(parents=True)
        slow = ["import time; time.sleep(1)"] * (number > 0)
        (folder / f"{LAB}.ipynb").write_bytes(submission(added=slow))
    shutil.copy(new_gradebook, root / "gradebook.db")
    return root


def scores(root):
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}", COURSE_ID) as gradebook:
        return {one.student.id: one.score for one in gradebook.assignment_submissions(LAB)}


def test_a_class_graded_on_a_cluster_is_in_the_gradebook(class_folder):
    done = run("--class", class_folder, "--runner", "dask", "--jobs", 2)
    assert done.exit_code == 0, done.output
    assert scores(class_folder) == {f"student-{number}": 9.0 for number in range(4)}
    log = class_folder / "pipeline.log"
    before = log.stat().st_mtime_ns
    assert "0 graded now" in run("--class", class_folder, "--runner", "dask").output
    assert log.stat().st_mtime_ns == before


def test_a_run_that_is_killed_goes_on_on_another_engine(class_folder):
    """SIGKILL of the grader: everything that the engine had started ends, and what was graded is kept."""
    words = [sys.executable, "-m", "course.command", "grade", "--class", str(class_folder), "--jobs", "2"]
    grader = psutil.Popen([*words, "--runner", "multi-process"], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + PATIENCE
    while not list(class_folder.glob(f"results/{LAB}/*/*.json")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    started = grader.children(recursive=True)
    grader.kill()
    grader.wait()
    assert not psutil.wait_procs(started, timeout=PATIENCE)[1]
    kept = {path: path.read_bytes() for path in class_folder.glob(f"results/{LAB}/*/*.json")}
    done = run("--class", class_folder, "--jobs", 2)
    assert done.exit_code == 0, done.output
    assert f"{4 - len(kept)} graded now, {len(kept)} were there already" in done.output
    assert {path: path.read_bytes() for path in kept} == kept
    ledger = [json.loads(line) for line in (class_folder / "ledger.jsonl").read_text().splitlines()]
    assert sorted(entry["student"] for entry in ledger) == [f"student-{number}" for number in range(4)]


def test_a_dry_run_builds_the_job_and_sends_nothing(class_folder):
    options = ["--project=class", "--region=europe-west1", "--temp_location=gs://class/temp", "--dry_run=True"]
    done = run("--class", class_folder, "--runner", "DataflowRunner", "--", *options)
    assert isinstance(done.exception, CourseError), done.output
    assert "built, and not sent" in str(done.exception)
    assert not list(class_folder.glob(f"results/{LAB}/*/*.json"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["a.ipynb", "--lab", "small", "--runner", "dask"], "--class"),
        (["--class", "b", "--runner", "dusk"], "dusk"),
        (["--class", "b", "--", "--project=p"], "--runner"),
        (["--class", "b", "--store", "gs://b"], "--runner"),
        (["a.ipynb", "b.ipynb", "--lab", "small"], "Name a notebook FILE"),
    ],
)
def test_a_command_line_that_means_nothing_is_refused(words, said):
    done = run(*words)
    assert done.exit_code == 2
    assert said in done.output
