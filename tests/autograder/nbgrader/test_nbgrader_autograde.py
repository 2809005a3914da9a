"""``nbgrader autograde`` over a hostile class: the grades of ``course grade --class``, and nothing of theirs runs."""

import io

import nbformat
import pandas as pd
import pytest
from rich.console import Console

from autograder.classroom import grade_class

LAB = "small-lab"
SENTENCES = {
    "dan": "The file is empty",
    "eve": "graded: 9 of 9",
    "finn": "is a folder, a pipe or a device",
    "hal": "has 40.0 MiB; at most 32.0 MiB",
    "ida": "In the notebook more than once",
    "jan": "is a link to another file",
    "leo": "There is no notebook of this lab",
    "nick": "process of your notebook ended",
}
SCORES = {
    **{student: 9.0 for student in ("ada", "cleo", "gwen", "ida", "kim", "ole")},
    **{student: 0.0 for student in ("dan", "finn", "hal", "jan", "leo", "mia <b>&", "nick")},
    "bob": 6.0,
    "eve": 9.0,
}


@pytest.fixture(scope="module")
def by_course(new_class, hand_in_all, full_assignment):
    """The same submissions, graded by ``course grade --class``."""
    classroom = new_class()
    hand_in_all(classroom)
    grade_class(classroom.root, full_assignment.runner, 2, [full_assignment.lab], Console(file=io.StringIO()))
    return classroom


def test_nobody_stops_the_run_and_everybody_is_in_the_gradebook(graded):
    classroom, done = graded
    assert done.returncode == 0, done.stderr
    assert classroom.scores() == SCORES


def test_a_refused_submission_shows_the_sentence(graded):
    classroom, _ = graded
    for student, sentence in SENTENCES.items():
        assert sentence in classroom.autograded(student), student


def test_both_ways_of_grading_end_in_the_same_gradebook(graded, by_course):
    classroom, _ = graded
    assert classroom.marks() == by_course.marks()
    for student in SCORES:
        assert classroom.autograded(student) == by_course.autograded(student)


def test_what_nbgrader_had_graded_is_not_graded_again(graded, full_assignment):
    classroom, _ = graded
    before = classroom.marks()
    results = {path: path.stat().st_mtime_ns for path in classroom.root.glob(f"results/{LAB}/*/*.json")}
    report = grade_class(classroom.root, full_assignment.runner, 2, [full_assignment.lab], Console(file=io.StringIO()))
    assert (report.graded, report.entered) == (0, [])
    assert {path: path.stat().st_mtime_ns for path in results} == results
    assert classroom.marks() == before


def test_nothing_that_a_student_brought_is_copied(graded, lab):
    classroom, _ = graded
    found = {path.name for path in (classroom.root / "autograded").rglob("*") if path.is_file()}
    assert found == {f"{LAB}.ipynb", "timestamp.txt", "submission_secret.txt"}
    assert not (classroom.root / "written-by-ole").exists()
    checks = [line.strip() for line in lab.checks.path.read_text().splitlines() if len(line.strip()) > 30]
    secret = [line for line in checks if "hint=" not in line and not line.startswith("def ")]
    names = [check.name for task in lab.tasks for check in lab.checks.of(task.id)]
    for student in SCORES:
        text = classroom.autograded(student)
        assert not [piece for piece in (*secret, *names) if piece in text], student


def test_the_notebook_tells_hints_and_points_where_nbgrader_reads_them(graded):
    classroom, _ = graded
    cells = {cell.id: cell for cell in nbformat.reads(classroom.autograded("bob"), as_version=4).cells}
    hint, points = cells["check-normalise"].outputs
    assert "Measure the level with rms_level" in hint.text
    assert points.data["text/plain"] == "0"
    assert cells["check-rms_level"].outputs[-1].data["text/plain"] == "4"
    assert nbformat.validate(nbformat.reads(classroom.autograded("ida"), as_version=4)) is None


def test_own_outputs_are_shown_as_text_and_pictures_only(graded):
    classroom, _ = graded
    cells = {cell.id: cell for cell in nbformat.reads(classroom.autograded("ada"), as_version=4).cells}
    note, level, table, plot = cells["rms_level"].outputs
    assert "when the notebook was handed in" in note.text
    assert (level.text, table.text) == ("level 0.25\n", "a table")
    assert set(plot.data) == {"image/png"}
    assert "<script" not in classroom.autograded("ada")


def test_export_has_the_scores(graded, tmp_path):
    classroom, _ = graded
    assert classroom.nbgrader(f"export --to {tmp_path}/grades.csv").returncode == 0
    table = pd.read_csv(tmp_path / "grades.csv").set_index("student_id")
    assert table["score"].to_dict() == SCORES
    assert set(table["max_score"]) == {12.0}


@pytest.fixture(scope="module")
def one_line(new_class, submission):
    """A class of one student, who forges what the visible checks compare with and leaves a mark in the class folder."""
    classroom = new_class()
    forged = "import numpy, pathlib\nnumpy.allclose = lambda *a, **k: True\npathlib.Path('../../../ran').touch()"
    notebook = nbformat.reads(submission({"normalise": "def normalise(signal, level): return signal"}), as_version=4)
    notebook.cells.insert(2, nbformat.v4.new_code_cell(forged, id="forge"))
    classroom.file("zoe").write_text(nbformat.writes(notebook))
    classroom.file("zoe").with_name("timestamp.txt").write_text("2026-11-22 12:00:00 UTC\n")
    return classroom


LINE = 'c.Autograde.exporter_class = "autograder.nbgrader.autograde.SandboxedExporter"'


def test_the_line_taken_out_is_stock_nbgrader_and_put_in_again_is_ours(one_line):
    """Stock nbgrader runs the submission in the instructor's account and believes it; that is why the line is there."""
    classroom, marker = one_line, one_line.root / "ran"
    classroom.configure(LINE, "")
    stock = classroom.nbgrader(f"generate_assignment {LAB} --force", f"autograde {LAB}")
    assert stock.returncode == 0, stock.stderr
    assert (classroom.scores()["zoe"], marker.exists()) == (9.0, True)
    marker.unlink()
    classroom.configure("c.LateSubmissionPlugin", f"{LINE}\nc.LateSubmissionPlugin")
    ours = classroom.nbgrader(f"autograde {LAB} --force --no-execute")
    assert ours.returncode == 0, ours.stderr
    assert (classroom.scores()["zoe"], marker.exists()) == (6.0, False)


def test_late_submissions_lose_what_the_class_says(one_line, full_assignment, tmp_path):
    classroom = one_line
    with classroom.gradebook() as gradebook:
        gradebook.update_or_create_assignment(LAB, duedate="2026-11-22 11:00:00 UTC")
    classroom.configure('penalty_method = "none"', 'penalty_method = "zero"')
    done = classroom.nbgrader(f"autograde {LAB} --student zoe --force", f"export --to {tmp_path}/grades.csv")
    assert done.returncode == 0, done.stderr
    assert classroom.marks()["zoe"]["penalty"] == 6.0
    table = pd.read_csv(tmp_path / "grades.csv").set_index("student_id")
    assert table.loc["zoe", ["raw_score", "late_submission_penalty", "score"]].tolist() == [6.0, 6.0, 0.0]
    with classroom.gradebook() as gradebook:
        gradebook.update_or_create_assignment(LAB, duedate="2026-11-22 13:00:00 UTC")
    grade_class(classroom.root, full_assignment.runner, 2, [full_assignment.lab], Console(file=io.StringIO()))
    assert classroom.marks()["zoe"]["penalty"] is None


def test_a_lab_of_somebody_elses_is_refused_with_what_to_do(one_line):
    classroom = one_line
    (classroom.root / "submitted" / "zoe" / "ps1").mkdir()
    (classroom.root / "submitted" / "zoe" / "ps1" / "ps1.ipynb").write_text("{}")
    done = classroom.nbgrader("autograde ps1")
    assert done.returncode != 0
    assert "ps1 is none of the kit's labs (small-lab)" in done.stderr
