"""Grades for Canvas and Moodle: read back by the csv module and pandas, compared with nbgrader's own export."""

import csv
import io
from datetime import datetime

import pandas as pd
import pytest
from nbgrader.api import Gradebook
from nbgrader.plugins.export import CsvExportPlugin

from autograder.pages.lms_export import Sheet, export, guarded, read_grades, read_sheet, write_export
from course.errors import CourseError

LAB, OTHER = "lab01-sound-as-numbers", "lab02-other"
CANVAS = [
    ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Notes", f"{LAB} (4711)", "Quiz (12)", "Final Score"],
    ["", "", "", "", "", "", "Manual Posting", "", ""],
    ["    Points Possible", "", "", "", "", "", "10", "5", "(read only)"],
    ['Lovelace, "Ada"', "11", "u1", "ADA", "A", "kept", "", "3", "55"],
    ["Babbage, Charles", "12", "u2", "ben", "A, B", "", "1", "4", "60"],
    ["Excused, Eve", "13", "u3", "cy", "A", "", "EX", "", "60"],
    ["Student, Test", "14", "", "f00", "A", "", "", "", ""],
]
WORKSHEET = [
    ["Identifier", "Full name", "Email address", "Status", "Grade", "Maximum Grade", "Feedback comments"],
    ["Participant 7", "Ada Lovelace", "ada@example.org", "Submitted", "", "10,00", ""],
    ["Participant 8", "Charles Babbage", "ben@example.org", "Submitted", "1.00", "10,00", "kept"],
]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A gradebook as nbgrader has it: manual points, a penalty larger than the score, somebody who waits."""
    root = tmp_path_factory.mktemp("graded")
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}", "course") as gradebook:
        for lab in (LAB, OTHER):
            gradebook.add_assignment(lab)
            gradebook.add_notebook(lab, lab)
            gradebook.add_grade_cell("auto", lab, lab, max_score=6, cell_type="code")
            gradebook.add_grade_cell("person", lab, lab, max_score=4, cell_type="markdown")
        people = {"ada": ("Ada", "Lovelace"), "ben": ("Charles", "Babbage"), "cy": (None, None), "=1+1": ("-x", "@y")}
        for student, (first, last) in people.items():
            email = f"{student}@example.org" if student.isalpha() else None
            gradebook.add_student(student, first_name=first, last_name=last, email=email)
        for lab, student, auto, manual, penalty in [
            (LAB, "ada", 6, 2.5, None),
            (LAB, "ben", 3, 1, 1.25),
            (LAB, "cy", 1, 0, 5),
            (LAB, "=1+1", 2, None, None),
            (OTHER, "ada", 4, 4, None),
        ]:
            submission = gradebook.add_submission(lab, student, timestamp=datetime(2026, 11, 2, 10, 30))
            grades = {grade.name: grade for grade in submission.notebooks[0].grades}
            grades["auto"].auto_score = auto
            grades["person"].manual_score, grades["person"].needs_manual_grade = manual, manual is None
            submission.notebooks[0].late_submission_penalty = penalty
        gradebook.db.commit()
    return root


@pytest.fixture(scope="module")
def grades(root):
    return read_grades(root, [LAB])


def parsed(text, delimiter=","):
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=delimiter))


def written(path, rows, delimiter=",", encoding="utf-8"):
    with path.open("w", newline="", encoding=encoding) as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    return path


def test_scores_are_those_of_nbgraders_export(root, grades, tmp_path):
    plugin = CsvExportPlugin(to=str(tmp_path / "stock.csv"))
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}", "course") as gradebook:
        plugin.export(gradebook)
    stock = pd.read_csv(tmp_path / "stock.csv").query("assignment == @LAB").set_index("student_id")
    text, _ = export(grades, "plain")
    plain = pd.read_csv(io.StringIO(text)).set_index("student").rename(index=lambda name: name.lstrip("'"))
    assert plain.score.to_dict() == stock.score.to_dict() == {"ada": 8.5, "ben": 2.75, "cy": 0, "=1+1": 2}
    assert plain.raw_score.to_dict() == stock.raw_score.to_dict()
    assert plain.late_penalty.to_dict() == stock.late_submission_penalty.fillna(0).to_dict()
    assert plain.loc["ada", "handed_in"] == "2026-11-02T10:30:00Z"


def test_reading_changes_nothing_in_the_gradebook(root):
    before = (root / "gradebook.db").read_bytes()
    read_grades(root)
    assert (root / "gradebook.db").read_bytes() == before


def test_a_new_canvas_file_has_canvas_columns(root):
    text, notes = export(read_grades(root), "canvas")
    rows = parsed(text)
    assert rows[0] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", LAB, OTHER]
    assert rows[1] == ["    Points Possible", "", "", "", "", "10", "10"]
    by_login = {row[3]: row for row in rows[2:]}
    assert by_login["ada"] == ["Lovelace, Ada", "", "", "ada", "", "8.5", "8"]
    assert by_login["cy"] == ["cy", "", "", "cy", "", "0", ""]
    assert any("wait for a person" in note for note in notes)


def test_a_canvas_file_keeps_its_rows_and_other_columns(grades, tmp_path):
    text, notes = export(grades, "canvas", written(tmp_path / "canvas.csv", CANVAS))
    rows = parsed(text)
    assert [row[:6] + row[7:] for row in rows] == [row[:6] + row[7:] for row in CANVAS]
    assert [row[6] for row in rows] == [f"{LAB} (4711)", "Manual Posting", "10", "8.5", "2.75", "EX", ""]
    assert any("3 students were found by SIS Login ID" in note for note in notes)
    assert any("1 with grades are not in canvas.csv: =1+1" in note for note in notes)
    assert any("1 students are excused" in note for note in notes)


@pytest.mark.parametrize("column", ["ID", "SIS User ID", "SIS Login ID"])
def test_canvas_students_are_found_by_the_column_that_fits_most(grades, tmp_path, column):
    table = pd.DataFrame(CANVAS[1:], columns=CANVAS[0])
    table["SIS Login ID"] = ["", "", "x1", "x2", "x3", "x4"]
    table[column] = ["", "", "ada", "BEN@example.org", "cy", "nobody"]
    path = written(tmp_path / "canvas.csv", [CANVAS[0], *table.values.tolist()])
    text, notes = export(grades, "canvas", path)
    assert [row[6] for row in parsed(text)][3:5] == ["8.5", "2.75"]
    assert f"3 students were found by {column}." in notes


def test_a_lab_that_canvas_does_not_have_gets_a_column_and_its_points(grades, tmp_path):
    rows = [row[:6] + row[7:] for row in CANVAS if "Manual Posting" not in row]
    found = parsed(export(grades, "canvas", written(tmp_path / "canvas.csv", rows))[0])
    assert [row[:8] for row in found] == rows
    assert [row[8] for row in found] == [LAB, "10", "8.5", "2.75", "0", ""]


def test_a_column_may_be_named_and_other_points_are_told(grades, tmp_path):
    path = written(tmp_path / "canvas.csv", CANVAS)
    text, notes = export(grades, "canvas", path, {LAB: "Quiz (12)"})
    assert [row[7] for row in parsed(text)][2:5] == ["5", "8.5", "2.75"]
    assert any("out of 5" in note and "10 points" in note for note in notes)


def test_semicolons_and_byte_order_mark_stay(grades, tmp_path):
    path = written(tmp_path / "canvas.csv", CANVAS, ";", "utf-8-sig")
    text, _ = export(grades, "canvas", path)
    assert text.startswith("\ufeffStudent;ID;")
    assert parsed(text, ";")[3][6] == "8.5"
    write_export(tmp_path / "out.csv", text)
    assert (tmp_path / "out.csv").read_bytes().startswith(b"\xef\xbb\xbfStudent;")


def test_a_moodle_worksheet_is_filled_in(grades, tmp_path):
    text, notes = export(grades, "moodle", written(tmp_path / "grades.csv", WORKSHEET))
    rows = parsed(text)
    assert [row[4] for row in rows] == ["Grade", "8.5", "2.75"]
    assert [row[:4] + row[5:] for row in rows] == [row[:4] + row[5:] for row in WORKSHEET]
    assert not [note for note in notes if "out of" in note]


def test_moodle_grades_keep_what_moodle_exported(grades, tmp_path):
    header = ["First name", "Last name", "ID number", "Email address", f"Assignment: {LAB} (Real)", "Course total"]
    rows = [header, ["A", "L", "ada", "a@b.c", "-", "7"], ["C", "B", "ben", "b@b.c", "1.00", "-"]]
    text, _ = export(grades, "moodle", written(tmp_path / "moodle.csv", rows))
    assert [row[4:] for row in parsed(text)] == [header[4:], ["8.5", "7"], ["2.75", "-"]]


def test_a_new_moodle_file(root):
    rows = parsed(export(read_grades(root), "moodle")[0])
    assert rows[0] == ["Username", "First name", "Last name", "Email address", LAB, OTHER]
    assert ["ben", "Charles", "Babbage", "ben@example.org", "2.75", ""] in rows


def test_several_labs_do_not_fit_a_worksheet(root, tmp_path):
    with pytest.raises(CourseError, match="--lab"):
        export(read_grades(root), "moodle", written(tmp_path / "grades.csv", WORKSHEET))


@pytest.mark.parametrize("cell", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "＝1", '="x"'])
def test_no_cell_is_a_formula(cell):
    assert guarded(cell) == f"'{cell}"
    (row,) = parsed(Sheet([cell, "a"]).text())
    assert row == [f"'{cell}", "a"]


@pytest.mark.parametrize("cell", ["-1.5", "+3", "-", "12,5", "-3 %", "", "a=b", "    Points Possible", "é"])
def test_numbers_and_words_stay_as_they_are(cell):
    assert guarded(cell) == cell


def test_every_layout_is_guarded_and_says_so(root):
    for layout in ("canvas", "moodle", "plain"):
        text, notes = export(read_grades(root), layout)
        assert not [cell for row in parsed(text) for cell in row if cell.startswith(("=", "+", "@", "-x"))]
        assert any("apostrophe" in note for note in notes)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "0 lines"),
        (b"Student,ID,Section\n", "1 lines"),
        (b"\xff\xfe\x00", "no CSV file in UTF-8"),
        (b"Name,Points\nAda,3\n", "none of the columns SIS Login ID"),
        (b"Student,ID,SIS Login ID,Section\nX,1,nobody,A\n", "Nobody in"),
        (b"Student,ID,SIS Login ID,Section\nX,1,ada,A\nY,2,ada,A\n", "2 rows with SIS Login ID 'ada'"),
        (f"Student,ID,SIS Login ID,{LAB} (1),{LAB} (2)\nX,1,ada,,\n".encode(), "several columns"),
    ],
)
def test_a_file_that_is_no_export_is_told_what_is_wrong(grades, tmp_path, content, sentence):
    (tmp_path / "lms.csv").write_bytes(content)
    with pytest.raises(CourseError, match=sentence):
        export(grades, "canvas", tmp_path / "lms.csv")


def test_a_column_that_is_not_there_is_named(grades, tmp_path):
    with pytest.raises(CourseError, match="no column 'Lab 9'"):
        export(grades, "canvas", written(tmp_path / "canvas.csv", CANVAS), {LAB: "Lab 9"})


def test_short_and_long_rows_are_read(tmp_path):
    (tmp_path / "a.csv").write_text("Student,ID\nX\n\nY,1,2,3\n")
    assert read_sheet(tmp_path / "a.csv").rows == [["X", ""], ["Y", "1"]]


def test_a_missing_file_gradebook_or_lab_is_told(root, tmp_path):
    with pytest.raises(CourseError, match="cannot be read"):
        read_sheet(tmp_path / "none.csv")
    with pytest.raises(CourseError, match="run `course grade --class`"):
        read_grades(tmp_path)
    with pytest.raises(CourseError, match=f"labs with grades are: {LAB}, {OTHER}"):
        read_grades(root, ["lab99"])
