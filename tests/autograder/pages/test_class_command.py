"""``course class`` as it is typed, on a class folder that the grader's own ledger and gradebook describe."""

import csv
import json

import pytest
from click.testing import CliRunner

from autograder.class_command import class_group
from autograder.class_folder import COURSE_ID
from autograder.grading import Assignment
from autograder.pages.class_pages import last_results
from autograder.policy import Policy
from autograder.records import consistency
from autograder.records.gradebook import ClassGradebook
from autograder.records.result_store import result_path
from autograder.sandbox import Trusted
from course.errors import CourseError


@pytest.fixture(scope="module")
def root(tmp_path_factory, make_class, lab01):
    """A class of Lab 1 whose results are stored and entered, as grading does it."""
    root = tmp_path_factory.mktemp("entered")
    results = make_class(root, 24)
    (root / "ledger.jsonl").unlink()
    for result in results:
        result.write(result_path(root, result.lab, result.student, result.key))
    assignment = Assignment.of(lab01, Policy(), Trusted())
    ClassGradebook(root, COURSE_ID).apply(assignment, results, {})
    return root


def run(*words):
    return CliRunner().invoke(class_group, [str(word) for word in words])


def test_pages_are_made_again_from_what_is_stored(root, lab01):
    done = run("pages", root)
    assert done.exit_code == 0, done.output
    assert "24 feedback pages" in done.output
    page = root / "feedback" / "student-003" / lab01.id / f"{lab01.id}.html"
    before = page.read_bytes()
    page.unlink()
    assert run("pages", root).exit_code == 0
    assert page.read_bytes() == before
    assert "student-003" in (root / "summary" / f"{lab01.id}.html").read_text()


def test_what_was_not_read_stays_on_the_page(root):
    (root / "summary").mkdir(exist_ok=True)
    (root / "summary" / "not-read.json").write_text(json.dumps(["submitted/kim: a link <b>; not read"]))
    assert run("pages", root).exit_code == 0
    assert "submitted/kim: a link &lt;b&gt;; not read" in (root / "summary.html").read_text()


def test_a_result_that_is_gone_is_named(root, lab01):
    (path,) = (root / "results" / lab01.id / "student-005").glob("*.json")
    content = path.read_bytes()
    path.write_bytes(content[:50])
    done = run("pages", root)
    path.write_bytes(content)
    assert "The result of student-005" in done.output and "23 feedback pages" in done.output


def test_similar_lists_the_pair_and_the_page(root, lab01):
    done = run("similar", root, "--lab", "lab01")
    assert done.exit_code == 0, done.output
    assert "student-000, student-001" in done.output
    assert "never a verdict" in done.output
    assert (root / "summary" / f"{lab01.id}-similar.html").exists()


def test_similar_needs_a_lab_with_results(root):
    done = run("similar", root, "--lab", "lab99")
    assert isinstance(done.exception, CourseError) and "'lab99' fits 0" in str(done.exception)


@pytest.mark.parametrize("layout", ["canvas", "moodle", "plain"])
def test_export_writes_the_file(root, lab01, tmp_path, layout):
    done = run("export", root, "--layout", layout, "-o", tmp_path / "out.csv")
    assert done.exit_code == 0, done.output
    rows = list(csv.reader((tmp_path / "out.csv").open(newline="")))
    results = {result.student: result for result in last_results(root)[0]}
    name, score = {"canvas": (3, 5), "moodle": (0, 4), "plain": (0, 9)}[layout]
    scores = {row[name].lstrip("'"): float(row[score]) for row in rows[1:] if row[name]}
    assert scores == {student: result.score for student, result in results.items()}
    assert rows[0][score] == ("score" if layout == "plain" else lab01.title)


def test_export_fills_in_a_file_of_the_lms(root, lab01, tmp_path):
    (tmp_path / "in.csv").write_text("Student,ID,SIS Login ID,Section,Lab (1)\nX,1,student-003,A,\n")
    words = ["--lms", tmp_path / "in.csv", "--column", f"{lab01.id}=Lab (1)", "-o", tmp_path / "out.csv"]
    done = run("export", root, "--layout", "canvas", *words)
    assert done.exit_code == 0, done.output
    expected = next(one.score for one in last_results(root)[0] if one.student == "student-003")
    assert (tmp_path / "out.csv").read_text().splitlines()[1] == f"X,1,student-003,A,{expected}"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--layout", "plain", "--lms", "x.csv"], "--lms goes with"),
        (["--layout", "canvas", "--column", "Lab 1"], "expected LAB=NAME"),
        (["--layout", "excel"], "'canvas', 'moodle', 'plain'"),
        ([], "--layout"),
    ],
)
def test_a_wrong_command_line_is_told(root, tmp_path, words, sentence):
    done = run("export", root, *words, "-o", tmp_path / "out.csv")
    assert done.exit_code == 2 and sentence in done.output


def test_a_column_of_an_unknown_lab_is_told(root, tmp_path):
    done = run("export", root, "--layout", "canvas", "--column", "lab99=X", "-o", tmp_path / "out.csv")
    assert "the labs with grades are" in str(done.exception)


def test_a_folder_without_results_is_told(tmp_path):
    done = run("pages", tmp_path)
    assert isinstance(done.exception, CourseError) and "course grade --class" in str(done.exception)


def test_audit_prints_what_does_not_agree_and_fails(root, monkeypatch):
    monkeypatch.setattr(consistency, "audit", lambda folder: [f"{folder.name}: torn"])
    done = run("audit", root)
    assert (done.exit_code, done.output) == (1, f"{root.name}: torn\n")
    monkeypatch.setattr(consistency, "audit", lambda folder: [])
    done = run("audit", root)
    assert (done.exit_code, done.output) == (0, "Results, ledger and gradebook agree.\n")
