"""``course grade`` as a person or a script runs it."""

import json
import sqlite3

import pytest
from click.testing import CliRunner

from autograder.command import grade
from autograder.demo import make_demo_class
from course.errors import CourseError


@pytest.fixture
def files(tmp_path, submission, small_kit):
    contents = {
        "right.ipynb": submission(),
        "ends.ipynb": submission(added=["import os; os._exit(0)"]),
        "empty.ipynb": b"",
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "link.ipynb").symlink_to(tmp_path / "right.ipynb")
    return tmp_path


def run(*words):
    return CliRunner().invoke(grade, [str(word) for word in words])


def test_json_is_exactly_one_object_with_the_fields_of_the_design(files):
    done = run(files / "right.ipynb", "--lab", "small", "--json", "--student", "ada")
    assert done.exit_code == 0
    result = json.loads(done.stdout)
    assert (result["lab"], result["status"], result["score"], result["max_score"]) == ("small-lab", "graded", 9, 9)
    assert {"id", "score", "max_score", "hints"} <= result["tasks"][0].keys()
    assert result["environment"]["sandbox"].startswith("bubblewrap")
    assert (result["student"], type(result["seconds"])) == ("ada", float)


def test_a_person_gets_a_table(files):
    done = run(files / "right.ipynb", "--lab", "small")
    assert done.exit_code == 0
    assert "9 of 9 points" in done.stdout
    assert "graded by a person" in done.stdout


def test_the_table_says_what_a_function_stopped_with(files, submission, lab):
    task = lab.task_ids[0]
    source = f"def {task}(*arguments, **named):\n    raise KeyError('no [b]such[/b] key')"
    (files / "raises.ipynb").write_bytes(submission({task: source}))
    done = run(files / "raises.ipynb", "--lab", "small")
    shown = " ".join(done.stdout.replace("│", " ").split())
    assert "It stopped with KeyError: 'no [b]such[/b] key'" in shown


@pytest.mark.parametrize(
    ("name", "status"), [("ends.ipynb", "crash"), ("empty.ipynb", "malformed"), ("link.ipynb", "refused")]
)
def test_another_status_is_another_exit_status(files, name, status):
    done = run(files / name, "--lab", "small", "--json")
    assert done.exit_code == 3
    assert json.loads(done.stdout)["status"] == status


def test_trusted_grading_says_so(files):
    done = run(files / "right.ipynb", "--lab", "small", "--trust-submissions")
    assert done.exit_code == 0
    assert "without a sandbox" in done.stdout
    done = run(files / "right.ipynb", "--lab", "small", "--trust-submissions", "--json")
    assert "trusted" in json.loads(done.stdout)["environment"]["sandbox"]


def test_no_sandbox_means_no_grading(files, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    done = run(files / "right.ipynb", "--lab", "small")
    assert isinstance(done.exception, CourseError)
    assert "apt install bubblewrap" in str(done.exception)
    assert done.stdout == ""


@pytest.mark.parametrize("words", [[], ["a.ipynb"], ["a.ipynb", "--class", "b", "--lab", "small"]])
def test_a_wrong_command_line_is_a_usage_error(words):
    assert run(*words).exit_code == 2


def test_a_lab_that_is_not_there_is_named(files):
    done = run(files / "right.ipynb", "--lab", "lab42")
    assert isinstance(done.exception, CourseError)
    assert "lab42" in str(done.exception)


def test_the_demo_class_is_graded_as_announced(tmp_path, small_kit):
    """Reference, untouched, one wrong solution for each task, one without end, one that writes the gradebook."""
    class_dir = tmp_path / "class"
    students = make_demo_class(class_dir, "small")
    before = {path: path.read_bytes() for path in class_dir.rglob("*.ipynb")}
    assert make_demo_class(class_dir, "small") == students
    assert {path: path.read_bytes() for path in class_dir.rglob("*.ipynb")} == before
    done = run("--class", class_dir, "--jobs", 2)
    assert done.exit_code == 0, done.output
    ledger = [json.loads(line) for line in (class_dir / "ledger.jsonl").read_text().splitlines()]
    found = {entry["student"].split("-")[1]: (entry["status"], entry["score"]) for entry in ledger}
    assert found["reference"] == ("graded", 9)
    assert found["untouched"] == ("graded", 0)
    assert found["endless"] == ("timeout", 6)
    assert found["intruder"] == ("graded", 0)
    wrong = sorted(entry["score"] for entry in ledger if entry["student"].endswith("-wrong"))
    assert wrong == [5, 6, 7]
    with sqlite3.connect(class_dir / "gradebook.db") as gradebook:
        assert gradebook.execute("SELECT count(*) FROM grade WHERE manual_score IS NOT NULL").fetchall() == [(0,)]


def test_a_demo_class_takes_no_folder_that_is_somebodys(tmp_path, small_kit):
    (tmp_path / "grades.csv").write_text("ada,9")
    with pytest.raises(CourseError, match="no demo class"):
        make_demo_class(tmp_path, "small")
    assert (tmp_path / "grades.csv").read_text() == "ada,9"
