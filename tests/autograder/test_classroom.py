"""A class from what was handed in to gradebook, feedback and summary; run again, interrupted, with a person's marks."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
from filelock import FileLock
from nbgrader.api import Gradebook

from autograder.class_folder import COURSE_ID
from autograder.classroom import grade_class
from autograder.grading import Assignment
from autograder.policy import Policy
from autograder.records.consistency import audit
from course.errors import CourseError

LAB = "small-lab"
WRONG = "def normalise(signal, level):\n    return signal * level  # <script>alert(1)</script>"


def hand_in(root, student, content, name=f"{LAB}.ipynb", lab=LAB):
    folder = root / "submitted" / student / lab
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    return folder / name


def snapshot(root):
    """Every file's content and time of change."""
    return {
        path: (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name != ".grading.lock"
    }


@pytest.fixture(scope="module")
def new_gradebook(tmp_path_factory):
    """An empty gradebook: nbgrader takes seconds to make one."""
    path = tmp_path_factory.mktemp("empty") / "gradebook.db"
    Gradebook(f"sqlite:///{path}", COURSE_ID).close()
    return path


@pytest.fixture(scope="module")
def run(lab, assignment, new_gradebook):
    def grade(root):
        if not (root / "gradebook.db").exists():
            shutil.copy(new_gradebook, root / "gradebook.db")
        return grade_class(root, assignment.runner, 2, [lab])

    return grade


@pytest.fixture(scope="module")
def graded(tmp_path_factory, submission, run):
    """A class in which much is wrong, graded once."""
    root = tmp_path_factory.mktemp("class")
    hand_in(root, "ada", submission())
    hand_in(root, "bob", submission({"normalise": WRONG}))
    hand_in(root, "cleo", submission(), name="Untitled (final) 2.ipynb")
    hand_in(root, "dan", b"")
    hand_in(root, "eve", b'{"nbformat": 4, "cells": []}')
    other = json.loads(submission())
    other["metadata"]["course"]["lab"] = "lab09-other"
    hand_in(root, "finn", json.dumps(other).encode())
    missing = json.loads(submission())
    missing["cells"] = [cell for cell in missing["cells"] if cell["id"] != "rms_level"]
    hand_in(root, "gwen", json.dumps(missing).encode())
    hand_in(root, "hal", submission(added=["import os; os._exit(0)"]))
    double = json.loads(submission())
    double["cells"] *= 2
    hand_in(root, "ida", json.dumps(double).encode())
    (root / "submitted" / "jan" / LAB).mkdir(parents=True)
    (root / "submitted" / "jan" / LAB / f"{LAB}.ipynb").symlink_to(root / "source" / LAB / f"{LAB}.ipynb")
    (root / "submitted" / "kim").symlink_to(root / "submitted" / "ada")
    (root / "submitted" / "lea").mkdir()
    (root / "submitted" / "lea" / LAB).symlink_to(root / "submitted" / "ada" / LAB)
    (root / "submitted" / "mia <b>&").mkdir()
    hand_in(root, "mia <b>&", submission(start="release"))
    hand_in(root, "ada", submission(), lab="lab77-unknown")
    (root / "submitted" / "ada" / LAB / "timestamp.txt").write_text("2026-11-22 10:00:00 UTC\n")
    return root, run(root)


def by_student(report):
    return {result.student: result for result in report.results}


EXPECTED = {
    "ada": ("graded", 9),
    "bob": ("graded", 6),
    "cleo": ("graded", 9),
    "dan": ("malformed", 0),
    "eve": ("malformed", 0),
    "finn": ("refused", 0),
    "gwen": ("graded", 5),
    "hal": ("crash", 0),
    "ida": ("graded", 9),
    "jan": ("refused", 0),
    "lea": ("refused", 0),
    "mia <b>&": ("graded", 0),
}


def test_everybody_has_a_status_whatever_the_others_handed_in(graded):
    _, report = graded
    assert {student: (result.status, result.score) for student, result in by_student(report).items()} == EXPECTED
    assert not report.failed


def test_the_sentence_names_what_is_wrong(graded):
    results = by_student(graded[1])
    assert results["cleo"].notes[0].startswith("Handed in as Untitled (final) 2.ipynb")
    assert "is empty" in results["dan"].sentence
    assert "none of the cells" in results["eve"].sentence
    assert "lab09-other" in results["finn"].sentence
    assert "rms_level" in results["gwen"].notes[0]
    assert "more than once" in results["ida"].notes[-1]
    assert "is a link" in results["jan"].sentence
    assert any("kim" in stranger and "link" in stranger for stranger in graded[1].strangers)
    assert any("lab77-unknown" in stranger for stranger in graded[1].strangers)


def test_nbgrader_reads_the_scores(graded):
    root, _ = graded
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}", COURSE_ID) as gradebook:
        ada, mia = (gradebook.find_submission(LAB, student) for student in ("ada", "mia <b>&"))
        assert (ada.score, ada.max_score, ada.needs_manual_grade) == (9.0, 12.0, True)
        assert (mia.score, mia.needs_manual_grade) == (0.0, False)
        assert str(ada.timestamp) == "2026-11-22 10:00:00"
        scores = {one.student.id: one.score for one in gradebook.assignment_submissions(LAB)}
        assert scores == {student: float(score) for student, (_, score) in EXPECTED.items()}


def test_nbgrader_exports_the_class(graded, tmp_path):
    root, _ = graded
    table = tmp_path / "grades.csv"
    command = [sys.executable, "-m", "nbgrader", "export", "--to", str(table)]
    environment = os.environ | {"JUPYTER_CONFIG_DIR": str(tmp_path), "HOME": str(tmp_path)}
    subprocess.run(command, cwd=root, check=True, capture_output=True, env=environment)
    rows = table.read_text().splitlines()
    assert len(rows) == len(EXPECTED) + 1
    columns = rows[0].split(",")
    ada = next(row.split(",") for row in rows if "ada" in row.split(","))
    assert float(ada[columns.index("score")]) == 9.0


def test_feedback_tells_the_hint_and_never_the_check(graded, lab):
    root, _ = graded
    page = (root / "feedback" / "bob" / LAB / f"{LAB}.html").read_text()
    assert "Measure the level with rms_level" in page
    checks = lab.checks.path.read_text()
    secret = [line.strip() for line in checks.splitlines() if len(line.strip()) > 30 and "hint=" not in line]
    assert secret
    assert not [line for line in secret if line in page]
    assert str(root) not in page
    assert not [one.name for one in lab.checks.of("normalise") if one.name in page]


def test_pages_show_names_and_code_as_text(graded):
    root, _ = graded
    pages = [root / "summary.html", *(root / "feedback").rglob("*.html")]
    assert len(pages) == len(EXPECTED) + 1
    for page in pages:
        assert "<b>" not in page.read_text()
        assert "<script" not in page.read_text()
    assert "mia &lt;b&gt;&amp;" in (root / "summary.html").read_text()


def test_everything_agrees(graded):
    root, _ = graded
    assert audit(root) == []


def test_a_second_run_does_nothing(graded, run):
    root, _ = graded
    before = snapshot(root)
    report = run(root)
    assert report.graded == 0
    assert snapshot(root) == before


def test_a_changed_submission_alone_is_graded_again(tmp_path, submission, run):
    hand_in(tmp_path, "ada", submission())
    hand_in(tmp_path, "bob", submission({"normalise": WRONG}))
    assert run(tmp_path).graded == 2
    hand_in(tmp_path, "bob", submission())
    report = run(tmp_path)
    assert report.graded == 1
    assert by_student(report)["bob"].score == 9
    assert len(list((tmp_path / "backups").glob("*.db"))) == 2
    assert len((tmp_path / "ledger.jsonl").read_text().splitlines()) == 3


def test_what_a_person_entered_stays(tmp_path, submission, run):
    hand_in(tmp_path, "ada", submission({"normalise": WRONG}))
    run(tmp_path)
    url = f"sqlite:///{tmp_path / 'gradebook.db'}"
    with Gradebook(url, COURSE_ID) as gradebook:
        grade = gradebook.find_grade("judgement", LAB, LAB, "ada")
        assert grade.needs_manual_grade
        grade.manual_score, grade.needs_manual_grade = 2.5, False
        gradebook.find_comment("judgement", LAB, LAB, "ada").manual_comment = "Say why <i>.\nThen compare."
        gradebook.db.commit()
    assert run(tmp_path).graded == 0
    page = (tmp_path / "feedback" / "ada" / LAB / f"{LAB}.html").read_text()
    assert "gave 2.5 points" in page
    assert "Say why &lt;i&gt;." in page
    hand_in(tmp_path, "ada", submission())
    run(tmp_path)
    with Gradebook(url, COURSE_ID) as gradebook:
        grade = gradebook.find_grade("judgement", LAB, LAB, "ada")
        assert (grade.manual_score, grade.needs_manual_grade) == (2.5, True)
        assert gradebook.find_comment("judgement", LAB, LAB, "ada").comment == "Say why <i>.\nThen compare."
        assert gradebook.find_submission(LAB, "ada").score == 11.5


def test_a_result_that_is_no_json_is_made_again(tmp_path, submission, run):
    hand_in(tmp_path, "ada", submission())
    run(tmp_path)
    (path,) = (tmp_path / "results" / LAB / "ada").glob("*.json")
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    report = run(tmp_path)
    assert report.graded == 1
    assert by_student(report)["ada"].score == 9


def test_only_one_grader_at_a_time(tmp_path, submission, run):
    hand_in(tmp_path, "ada", submission())
    with FileLock(tmp_path / ".grading.lock"), pytest.raises(CourseError, match="Another `course grade`"):
        run(tmp_path)


def test_a_folder_that_is_no_class_is_said_so(tmp_path, run):
    with pytest.raises(CourseError, match="no folder `submitted`"):
        run(tmp_path)


KILLED = """
import sys
from pathlib import Path
from autograder.classroom import grade_class
from autograder.records.consistency import audit
from autograder.sandbox import Bubblewrap
from course.lab.source import read_lab
grade_class(Path(sys.argv[1]), Bubblewrap(), 2, [read_lab(Path(sys.argv[2]))])
"""


def test_a_killed_run_goes_on_where_it_stopped(tmp_path, submission, run, lab):
    """SIGKILL while one submission hangs: finished results are whole, the rest follows, no sandbox outlives it."""
    hand_in(tmp_path, "ada", submission())
    hand_in(tmp_path, "bob", submission(added=["import time; time.sleep(3)"]))
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path), str(lab.folder)], stdout=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("results/*/ada/*.json")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = len(list(tmp_path.glob("results/*/*/*.json")))
    assert done >= 1
    report = run(tmp_path)
    assert report.graded == 2 - done
    assert {result.student: result.score for result in report.results} == {"ada": 9, "bob": 9}


def test_regrading_for_another_policy_makes_another_result(lab, assignment):
    other = Assignment.of(lab, Policy(cell_seconds=7), assignment.runner)
    assert other.key("ada", "0" * 64) != assignment.key("ada", "0" * 64)
