"""Every case of the corpus, graded in one class with honest neighbours: its status, its points, and no harm done."""

import json
import re
import sqlite3
import time
from pathlib import Path

import psutil
import pytest
from hostile_cases import CASES
from hostile_cases.case import LAB_ID, POINTS, SECRET, STRAGGLER, STRANGER, the_lab
from nbgrader.api import Gradebook

GRADED_CASES = {name: case for name, case in CASES.items() if STRANGER not in case.statuses}
STRANGERS = {name: case for name, case in CASES.items() if STRANGER in case.statuses}
# What a sentence for an intern never holds: places on the grader's machine, and how Python prints a failure.
TECHNICAL = re.compile(r"(/\w+){3}|Traceback|errno|Errno|\bpid\b|0x[0-9a-f]{4}|KeyError|ProtocolError|<class")


def result_of(hostile_class, case):
    result = hostile_class.results.get(case.folder)
    if result is None and not (hostile_class.root / "submitted" / case.folder / LAB_ID).exists():
        pytest.skip("this user may not make such a file")
    assert result is not None
    return result


@pytest.mark.parametrize("name", GRADED_CASES)
def test_a_case_has_its_status_and_exactly_its_points(hostile_class, name):
    case = CASES[name]
    result = result_of(hostile_class, case)
    assert result.status in case.statuses, (result.status, result.score, result.fault, result.cells)
    scores = {task.id: task.score for task in result.tasks}
    assert scores == {task: 0 if task in case.lost else points for task, points in POINTS.items()}, result.cells
    assert (result.score, result.max_score) == (case.score, sum(POINTS.values()))


@pytest.mark.parametrize("name", GRADED_CASES)
def test_a_case_is_told_in_words(hostile_class, name):
    case = CASES[name]
    result = result_of(hostile_class, case)
    assert re.search(r"^[A-Z].{20,400}\.$", result.sentence)
    assert not TECHNICAL.search(result.sentence)
    told = json.dumps(result.model_dump(mode="json", exclude={"student", "environment"}), ensure_ascii=False)
    assert re.search(case.says, told), told


@pytest.mark.parametrize("name", STRANGERS)
def test_what_cannot_be_named_is_told_to_the_instructor(hostile_class, name):
    case = CASES[name]
    assert case.folder not in hostile_class.results
    start = re.match(r"[\w ]*", case.student)[0]
    assert any(start in stranger and case.says in stranger for stranger in hostile_class.report.strangers)


def test_the_corpus_is_all_there(hostile_class, honest_class):
    """One result for each case that was handed in and each neighbour, and none of them to be graded again."""
    assert len(CASES) > 140
    expected = {case.folder for case in GRADED_CASES.values()} | set(honest_class.results)
    assert set(hostile_class.results) <= expected
    assert len(hostile_class.report.results) >= len(expected) - 1
    assert not hostile_class.report.failed
    assert len(hostile_class.report.strangers) == len(STRANGERS)


def test_the_neighbours_results_are_as_if_they_were_alone(hostile_class, honest_class):
    for student, alone in honest_class.results.items():
        timed = {"seconds": True, "tasks": {"__all__": {"seconds"}}}
        beside = hostile_class.results[student]
        assert beside.model_dump(exclude=timed) == alone.model_dump(exclude=timed)
    assert [result.score for result in honest_class.results.values()] == [26, 23, 0]


def test_the_gradebook_says_what_the_results_say_and_nobody_wrote_into_it(hostile_class):
    with Gradebook(f"sqlite:///{hostile_class.root / 'gradebook.db'}") as gradebook:
        scores = {one.student.id: one.score for one in gradebook.assignment_submissions(LAB_ID)}
    expected = {student: result.score for student, result in hostile_class.results.items()}
    assert {student: scores[student] for student in expected} == expected
    with sqlite3.connect(hostile_class.root / "gradebook.db") as database:
        assert database.execute("SELECT COUNT(*) FROM grade WHERE manual_score IS NOT NULL").fetchone() == (0,)


def test_the_instructors_files_are_still_there(hostile_class, honest_class):
    for folder in ("source", "release"):
        name = f"{folder}/{LAB_ID}/{LAB_ID}.ipynb"
        assert (hostile_class.root / name).read_bytes() == (honest_class.root / name).read_bytes()


def test_nothing_hidden_is_in_what_students_and_instructors_read(hostile_class):
    """No line of the hidden checks, no secret of the grader, no other student's code on any page."""
    lines = {line.strip() for line in the_lab().checks.path.read_text().splitlines()}
    released = "".join(cell.source for cell in the_lab().cells)
    hints = {one.hint for checks in the_lab().checks.by_task.values() for one in checks}
    secrets = {line for line in lines if len(line) > 30 and line not in released and not any(h in line for h in hints)}
    assert len(secrets) > 200
    pages = list((hostile_class.root / "feedback").rglob("*.html"))
    assert len(pages) >= len(GRADED_CASES)
    for page in pages:
        text = page.read_text()
        assert SECRET not in text
        assert not [line for line in secrets if line in text], page


def test_no_process_of_a_submission_lives_on(hostile_class):
    deadline = time.monotonic() + 10
    while _stragglers() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _stragglers()


def _stragglers():
    found = []
    for process in psutil.process_iter(["cmdline", "uids"]):
        marked = STRAGGLER in " ".join(process.info["cmdline"] or ())
        found += [process.pid] if marked else []
    return found


def test_no_file_of_a_submission_lives_on(hostile_class):
    for place in (".ipython/profile_default/startup/00-owned.py", ".bashrc", "sitecustomize.py"):
        path = Path.home() / place
        assert not path.exists() or STRAGGLER not in path.read_text()
    assert not [path for path in hostile_class.root.rglob("*fill-0*")]


def test_graded_again_nothing_happens(hostile_class, grade_hostile_class):
    again = grade_hostile_class(hostile_class.root)
    assert again.graded == 0
    results = {result.student: (result.status, result.score) for result in again.results}
    assert results == {name: (result.status, result.score) for name, result in hostile_class.results.items()}
