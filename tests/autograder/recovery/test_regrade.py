"""Grading again after a check was fixed: what changed is entered and said, all else stays as it was."""

import json
import shutil
import sqlite3
from contextlib import closing

import pytest
from nbgrader.api import Gradebook

from autograder.bench import recovery
from autograder.class_folder import COURSE_ID
from autograder.classroom import LOCK, grade_class
from autograder.records.consistency import audit
from autograder.records.ledger import Ledger
from autograder.records.marks import Mark, read_marks, reading
from course.errors import CourseError
from course.lab.source import read_lab

MORE = """

+++ {"nbgrader": {"grade_id": "second-judgement", "grade": true, "solution": true, "points": 5}}

## Question: and for music?

Which of the two would you show there?

<!-- BEGIN SOLUTION -->
Both.
<!-- END SOLUTION -->
"""


def rows_of(root, student):
    """All that nbgrader's tables have of a student."""
    with closing(sqlite3.connect(root / "gradebook.db")) as database:
        (assignment,) = database.execute("SELECT * FROM submitted_assignment WHERE student_id = ?", (student,))
        (notebook,) = database.execute("SELECT * FROM submitted_notebook WHERE assignment_id = ?", assignment[:1])
        grades, comments = (
            database.execute(f"SELECT * FROM {table} WHERE notebook_id = ? ORDER BY id", notebook[:1]).fetchall()
            for table in ("grade", "comment")
        )
    return assignment, notebook, grades, comments


def marks_of(root, student, lab="small-lab"):
    with reading(root / "gradebook.db") as session:
        return read_marks(session)[lab, student]


def entries(root):
    return [json.loads(line) for line in (root / "ledger.jsonl").read_text().splitlines()]


def changed_lab(scenario, tmp_path, replaced):
    """Another version of the lab, under the same name."""
    folder = shutil.copytree(scenario.lab.folder, tmp_path / "version" / scenario.lab.id)
    text = (folder / "lab.md").read_text()
    for old, new in replaced.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    (folder / "lab.md").write_text(text)
    return folder


def test_whose_scores_stay_is_not_touched_in_the_gradebook(scenario, before):
    untouched = rows_of(before, "ben")
    recovery.run(scenario, before)
    assert rows_of(before, "ben") == untouched


def test_only_the_task_whose_check_was_fixed_changes(scenario, before):
    old = marks_of(before, "ana")
    recovery.run(scenario, before)
    new = marks_of(before, "ana")
    assert {cell for cell in new if new[cell] != old[cell]} == {"check-rms_level"}
    assert (old["check-rms_level"].auto, new["check-rms_level"].auto) == (0.0, 4.0)
    assert new["judgement"] == Mark(None, 1.5, None, False, "Seen, ana.")


def test_a_score_that_a_person_overruled_stays_and_is_to_be_seen_where_it_changed(scenario, before):
    recovery.run(scenario, before)
    marks = marks_of(before, "dua")
    scores = {cell: (mark.auto, mark.manual, mark.needs_person) for cell, mark in marks.items() if mark.manual}
    assert scores == {
        "check-rms_level": (4.0, 1.5, True),
        "check-normalise": (3.0, 1.5, False),
        "check-loud_share": (2.0, 1.5, False),
        "judgement": (None, 1.5, False),
    }


def test_what_is_handed_in_anew_is_to_be_seen_with_the_old_marks(scenario, before):
    recovery.run(scenario, before)
    assert marks_of(before, "cem")["judgement"] == Mark(None, 1.5, None, True, "Seen, cem.")


def test_the_ledger_and_the_table_say_who_gained_and_why(scenario, before, console):
    grade_class(before, scenario.runner, 1, [scenario.lab], console, recovery.replay(scenario))
    said = {one["student"]: (one["before"], one["score"], one["why"]) for one in entries(before)[4:]}
    assert said == {
        "ana": (5, 9, "checks changed"),
        "ben": (0, 0, "checks changed"),
        "cem": (2, 9, "new submission, checks changed"),
        "dua": (5, 9, "checks changed"),
        "eli": (None, 9, "first result"),
        "fay": (None, 0, "first result"),
        "gus": (None, 0, "first result"),
    }
    printed = console.file.getvalue()
    table = printed[printed.index("Scores that changed") :]
    rows = [[cell.strip() for cell in line.split("│")[2:7]] for line in table.splitlines() if line.startswith("│")]
    assert rows == [
        ["ana", "5", "9", "+4", "checks changed"],
        ["dua", "5", "9", "+4", "checks changed"],
        ["cem", "2", "9", "+7", "new submission, checks changed"],
    ]
    assert "1 graded again (checks changed), with the score they had." in table


def test_a_loss_is_shown_first(scenario, after, console):
    """Graded with the check that nobody can pass: of those who had all right, one has less, and the others too."""
    early = read_lab(scenario.before.parent.parent / "early" / scenario.lab.id)
    grade_class(after, scenario.runner, 2, [early], console)
    assert [(one["student"], one["before"], one["score"]) for one in entries(after)[-7:]][:4] == [
        ("ana", 9, 5),
        ("ben", 0, 0),
        ("cem", 9, 5),
        ("dua", 9, 5),
    ]
    assert console.file.getvalue().count("-4") == 4
    assert audit(after) == []


def test_points_and_cells_may_be_added_where_grades_are(scenario, after, tmp_path):
    version = changed_lab(scenario, tmp_path, {"points: 12": "points: 19", "points: 4}": "points: 6}"})
    with (version / "lab.md").open("a") as file:
        file.write(MORE)
    report = grade_class(after, scenario.runner, 2, [read_lab(version)])
    assert {one.student: (one.score, one.max_score) for one in report.results}["ana"] == (11, 11)
    marks = marks_of(after, "ana")
    assert marks["judgement"] == Mark(None, 1.5, None, False, "Seen, ana.")
    assert marks["second-judgement"] == Mark(0.0, None, None, False, None)
    with Gradebook(f"sqlite:///{after / 'gradebook.db'}", COURSE_ID) as gradebook:
        ana = gradebook.find_submission(scenario.lab.id, "ana")
        assert (ana.score, ana.max_score) == (12.5, 19.0)
    assert Ledger(after / "ledger.jsonl").latest["small-lab", "ana"].why == "lab changed"
    assert audit(after) == []


def test_a_cell_that_has_grades_cannot_go(scenario, after, tmp_path):
    saved = recovery.state(after)
    version = changed_lab(scenario, tmp_path, {'"grade_id": "judgement"': '"grade_id": "verdict"'})
    with pytest.raises(CourseError, match="judgement"):
        grade_class(after, scenario.runner, 2, [read_lab(version)])
    found = recovery.state(after)
    assert (found["marks"], found["ledger"]) == (saved["marks"], saved["ledger"])
    recovery.finish(scenario, after)
    found = recovery.state(after)
    assert found["results"].items() >= saved["results"].items()
    assert recovery.differences(saved, found | {"results": saved["results"]}) == []


def test_a_late_penalty_follows_the_due_date_and_the_gradebook_is_copied_before(scenario, after):
    config = after / "nbgrader_config.py"
    config.write_text(config.read_text() + 'c.LateSubmissionPlugin.penalty_method = "zero"\n')
    copies = len(list((after / "backups").iterdir()))

    def penalties(due):
        with Gradebook(f"sqlite:///{after / 'gradebook.db'}", COURSE_ID) as gradebook:
            gradebook.update_or_create_assignment(scenario.lab.id, duedate=due)
        recovery.finish(scenario, after)
        with Gradebook(f"sqlite:///{after / 'gradebook.db'}", COURSE_ID) as gradebook:
            found = gradebook.assignment_submissions(scenario.lab.id)
            return {one.student.id: one.late_submission_penalty for one in found}

    assert penalties("2026-11-20 08:00:00 UTC")["ana"] == 10.5
    assert len(list((after / "backups").iterdir())) == copies + 1
    assert set(penalties("2026-11-20 10:00:00 UTC").values()) == {0.0}
    assert set(penalties(None).values()) == {0.0}
    assert len(list((after / "backups").iterdir())) == copies + 2
    assert audit(after) == []


def test_a_second_run_leaves_every_byte(scenario, after):
    def snapshot():
        return {path: path.read_bytes() for path in after.rglob("*") if path.is_file() and path.name != LOCK}

    saved = snapshot()
    recovery.finish(scenario, after)
    assert snapshot() == saved
