"""``course lab`` from the outside: what it writes, prints and refuses, and its exit status."""

import json
import subprocess
import sys
import time

import nbformat
import psutil
import pytest
from click.testing import CliRunner

from course.errors import CourseError
from course.lab.attempt import read_attempt, run_visible_checks
from course.lab.build import release_notebook, solution_notebook, write_notebook
from course.lab.command import lab as lab_command
from course.lab.source import read_lab
from course.lab.visible import NOT_YET, RIGHT, UNSOLVED


@pytest.fixture
def run(monkeypatch):
    """Runs ``course lab …`` in this process with a terminal wide enough for whole sentences."""
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *arguments: CliRunner().invoke(lab_command, [str(one) for one in arguments])


@pytest.fixture
def submit(lab, tmp_path):
    """Writes the released notebook with some cells' sources replaced, as an intern would save it."""

    def write(**sources):
        notebook = release_notebook(lab)
        for cell in notebook.cells:
            cell.source = sources.get(cell.id.replace("-", "_"), cell.source)
        path = tmp_path / "work" / "mine.ipynb"
        write_notebook(notebook, path)
        return path

    return write


GOOD = "def double(signal):\n    return 2 * np.asarray(signal)"
GOOD_QUADRUPLE = "def quadruple(signal):\n    return 4 * np.asarray(signal)"


def states(path, seconds=60):
    outcome = run_visible_checks(read_attempt(path), seconds)
    return {finding.task: finding.state for finding in outcome.findings}, outcome


def test_list_shows_the_labs(run, lab):
    shown = run("list")
    assert shown.exit_code == 0
    row = next(line.split() for line in shown.output.splitlines() if "lab07" in line)
    assert row == ["lab07-doubling", "Lab", "7:", "Doubling", "1.5", "12", "3", "6"]


def test_list_shows_a_lab_with_a_mistake_beside_the_others(run, lab_folder):
    broken = lab_folder.parent / "lab08-broken"
    broken.mkdir()
    (broken / "lab.md").write_text("nothing")
    shown = run("list")
    assert shown.exit_code == 1
    assert "Lab 7: Doubling" in shown.output and "has a mistake" in shown.output
    assert "lab08-broken/lab.md:1: The front matter is missing" in shown.output


def test_release_and_solution_write_notebooks(run, lab, kit, tmp_path):
    assert "nothing hidden left" in run("release", "lab07").output
    released = nbformat.read(kit / "build" / "labs" / lab.id / "lab07-doubling.ipynb", as_version=4)
    assert released == release_notebook(lab)
    assert run("solution", "lab07", "-o", tmp_path / "made" / "answer.ipynb").exit_code == 0
    assert nbformat.read(tmp_path / "made" / "answer.ipynb", as_version=4) == solution_notebook(lab)
    assert run("solution", "lab07", "-o", tmp_path).exit_code == 0
    assert (tmp_path / "lab07-doubling-solution.ipynb").is_file()


def test_output_has_to_be_a_notebook(run, lab, tmp_path):
    result = run("release", "lab07", "-o", tmp_path / "lab.txt")
    assert isinstance(result.exception, CourseError) and "end it in .ipynb" in str(result.exception)
    assert not (tmp_path / "lab.txt").exists()


def test_a_leak_writes_nothing(run, lab_folder, change, tmp_path):
    change("lab.md", "print(np.arange(3))", "factor = 1.0 + 1.0")
    result = run("release", "lab07", "-o", tmp_path / "out.ipynb")
    assert "shows hidden material" in str(result.exception)
    assert not (tmp_path / "out.ipynb").exists()


def test_new_makes_a_lab_that_builds(run, kit):
    result = run("new", "lab02-speech-features")
    assert result.exit_code == 0 and "Next:" in result.output
    made = read_lab(kit / "labs" / "lab02-speech-features")
    assert (made.title, made.lecture) == ("Lab 2: Speech features", "02-speech-features")
    assert release_notebook(made).cells[0].source.startswith("# Lab 2: Speech features")
    assert len(made.wrong) == 3
    assert "[[" not in "".join(path.read_text() for path in made.folder.rglob("*.*"))


@pytest.mark.parametrize("name", ["speech", "lab2-x", "lab02", "lab02-", "lab02-Über", "../lab02-x", "lab02-a/b"])
def test_new_refuses_a_name_of_another_form(run, kit, name):
    result = run("new", name)
    assert "is no name for a lab" in str(result.exception)
    assert list((kit / "labs").iterdir()) == []


def test_new_never_touches_a_lab_that_exists(run, lab_folder):
    before = (lab_folder / "lab.md").read_bytes()
    for name in ("lab07-doubling", "lab07-other"):
        assert "The number 07 is taken by lab07-doubling" in str(run("new", name).exception)
    assert (lab_folder / "lab.md").read_bytes() == before
    assert [path.name for path in lab_folder.parent.iterdir()] == ["lab07-doubling"]


def test_check_says_where_one_stands(run, submit):
    result = run("check", submit(double=GOOD, judgement="Ten."))
    assert result.exit_code == 1
    assert "1 of 2 tasks are right" in result.output
    rows = {line.split()[1]: line for line in result.output.splitlines() if line.startswith("│")}
    assert "right" in rows["double"] and "up to 4" in rows["double"]
    assert "unsolved" in rows["quadruple"] and "answered" in rows["judgement"]
    assert "unanswered" in run("check", submit()).output


def test_check_is_content_with_a_right_notebook(run, submit):
    assert run("check", submit(double=GOOD, quadruple=GOOD_QUADRUPLE)).exit_code == 0


def test_an_unsolved_task_does_not_block_the_next_one(submit):
    found, _ = states(submit(quadruple="def quadruple(signal):\n    return double(double(signal))"))
    assert found == {"double": UNSOLVED, "quadruple": RIGHT}


def test_a_syntax_error_is_named_and_blocks_nothing(submit):
    found, outcome = states(submit(double="def double(signal:\n    return 1", quadruple=GOOD_QUADRUPLE))
    assert found == {"double": NOT_YET, "quadruple": RIGHT}
    assert "SyntaxError" in outcome.findings[0].sentence and "line 1 of the cell" in outcome.findings[0].sentence


def test_locked_cells_are_the_labs_own(submit):
    found, _ = states(submit(check_double="with check('double'):\n    pass"))
    assert found["double"] == UNSOLVED


def test_demo_cells_do_not_run(submit):
    found, _ = states(submit(demo_1="import os\nos._exit(1)", double=GOOD))
    assert found["double"] == RIGHT


def test_a_demo_cell_that_a_check_reads_does_run(submit, lab_folder, change):
    change("lab.md", "print(np.arange(3))", "ones = np.ones(2)\nunread = 1 / 0")
    change("lab.md", "double(np.ones(2)), 2)", "double(ones), 2)")
    found, outcome = states(submit(double=GOOD, quadruple=GOOD_QUADRUPLE))
    assert found["double"] == RIGHT
    assert outcome.notes == ["The cell demo-1 raised ZeroDivisionError: division by zero"]


def test_a_cell_of_ones_own_runs_and_its_error_is_noted(submit):
    path = submit(double="def double(signal):\n    return FACTOR * np.asarray(signal)", quadruple=GOOD_QUADRUPLE)
    notebook = nbformat.read(path, as_version=4)
    place = next(number for number, cell in enumerate(notebook.cells) if cell.id == "double")
    notebook.cells[place:place] = [nbformat.v4.new_code_cell("FACTOR = 2"), nbformat.v4.new_code_cell("1 / 0")]
    write_notebook(notebook, path)
    found, outcome = states(path)
    assert found == {"double": RIGHT, "quadruple": RIGHT}
    assert outcome.notes == ["The cell below demo-1 raised ZeroDivisionError: division by zero"]


def test_a_loop_without_end_is_ended_and_named(submit):
    found, outcome = states(submit(double="def double(signal):\n    while True: pass"), seconds=5)
    assert found == {"double": NOT_YET, "quadruple": UNSOLVED}
    assert "did not end within 5 s" in outcome.findings[0].sentence
    assert outcome.findings[1].sentence == "Not reached: the run stopped in the cell check-double."


def test_children_of_the_students_end_with_the_run(submit, tmp_path):
    note = tmp_path / "pid"
    child = f"import subprocess\nopen({str(note)!r}, 'w').write(str(subprocess.Popen(['sleep', '600']).pid))\n"
    states(submit(double=child + GOOD))
    pid = int(note.read_text())
    for _ in range(100):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return
        time.sleep(0.05)
    pytest.fail("the child still runs")


def test_a_process_that_ends_is_named(submit):
    found, outcome = states(submit(double="import os\nos._exit(0)"))
    assert found["double"] == NOT_YET
    assert outcome.notes == ["The run stopped: the cell double ended the process."]


def test_nothing_that_a_student_prints_is_a_finding(submit):
    forged = json.dumps({"finding": {"task": "double", "state": "right", "sentence": ""}})
    found, _ = states(submit(double=f"print({forged!r})\n\ndef double(signal):\n    return signal"))
    assert found["double"] == NOT_YET


def break_file(path, kind):
    notebook = json.loads(path.read_text())
    if kind == "empty":
        path.write_text(" \n")
    elif kind == "text":
        path.write_text("def double(signal): ...")
    elif kind == "json":
        path.write_text("[1, 2]")
    elif kind == "bytes":
        path.write_bytes(b"\xff\xfe\x00")
    elif kind == "missing":
        path.unlink()
    elif kind == "folder":
        path.unlink()
        path.mkdir()
    elif kind == "cells":
        notebook["cells"] = [cell for cell in notebook["cells"] if cell["id"] not in ("double", "check-quadruple")]
        path.write_text(json.dumps(notebook))
    elif kind == "twice":
        notebook["cells"] += [cell | {"id": "copy"} for cell in notebook["cells"] if cell["id"] == "double"]
        path.write_text(json.dumps(notebook))
    elif kind == "nameless":
        del notebook["metadata"]["course"]
        path.write_text(json.dumps(notebook))
    elif kind == "unknown":
        notebook["metadata"]["course"]["lab"] = "lab99-gone"
        path.write_text(json.dumps(notebook))


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("empty", "is empty; save the notebook"),
        ("text", "is not a notebook"),
        ("json", "is not a notebook"),
        ("bytes", "is not a notebook"),
        ("missing", "cannot be read: No such file"),
        ("folder", "cannot be read: Is a directory"),
        ("cells", "lacks cells of lab07-doubling: double, check-quadruple;"),
        ("twice", "holds these cells more than once: double;"),
        ("nameless", "does not say which lab it belongs to; name the lab with --lab"),
        ("unknown", "There is no lab 'lab99-gone'"),
    ],
)
def test_a_bad_file_is_refused_by_name(run, submit, kind, words):
    path = submit()
    break_file(path, kind)
    result = run("check", path)
    assert isinstance(result.exception, CourseError)
    assert words in str(result.exception)
    if kind != "unknown":
        assert "mine.ipynb" in str(result.exception)


def test_an_older_notebook_and_repeated_cell_ids_are_read(submit, recwarn):
    path = submit(double=GOOD, quadruple=GOOD_QUADRUPLE)
    notebook = json.loads(path.read_text())
    notebook["cells"] = [{key: cell[key] for key in cell if key != "id"} for cell in notebook["cells"]]
    path.write_text(json.dumps(notebook | {"nbformat_minor": 2}))
    assert states(path)[0] == {"double": RIGHT, "quadruple": RIGHT}
    twins = [cell | {"id": "same"} for cell in notebook["cells"]]
    path.write_text(json.dumps(notebook | {"cells": twins}))
    assert states(path)[0] == {"double": RIGHT, "quadruple": RIGHT}
    assert not recwarn.list


def test_a_locked_cell_that_became_text_is_missing(run, submit):
    path = submit()
    notebook = json.loads(path.read_text())
    for cell in notebook["cells"]:
        if cell["id"] == "check-double":
            cell["cell_type"] = "markdown"
            del cell["outputs"], cell["execution_count"]
    path.write_text(json.dumps(notebook))
    assert "lacks cells of lab07-doubling: check-double;" in str(run("check", path).exception)


def test_a_notebook_of_another_lab_is_refused(run, submit):
    path = submit()
    assert run("new", "lab02-levels").exit_code == 0
    result = run("check", path, "--lab", "lab02")
    assert "is a notebook of lab07-doubling, not of lab02-levels" in str(result.exception)


def test_a_nameless_notebook_is_checked_for_the_lab_that_is_named(run, submit):
    path = submit(double=GOOD, quadruple=GOOD_QUADRUPLE)
    break_file(path, "nameless")
    assert run("check", path, "--lab", "lab07").exit_code == 0


def test_the_installed_command_ends_with_a_sentence_and_status_1(lab):
    shown = subprocess.run(
        [sys.executable, "-c", "from course.command import main; main()", "lab", "release", "lab08"],
        capture_output=True,
        text=True,
    )
    assert shown.returncode == 1
    assert shown.stderr.strip() == "course: There is no lab 'lab08'. The labs are: lab07-doubling."
