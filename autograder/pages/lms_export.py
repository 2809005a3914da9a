"""Grades as a learning management system imports them: CSV files in the layouts of Canvas and Moodle, and a plain one.

Scores are nbgrader's: automatic and manual points less the penalty for lateness, never below 0. Layouts: Canvas,
"gradebook CSV" (columns Student, ID, SIS User ID, SIS Login ID, Section, then a column for each assignment, and a row
of points possible; lib/gradebook_importer.rb in instructure/canvas-lms); Moodle, "grade import" (any columns, mapped
in Moodle; docs.moodle.org, Grade import) and the grading worksheet of an assignment (Identifier … Grade). Given a file
that the system exported, its rows, its order and its other columns stay, and only grades are filled in.
"""

import csv
import io
import re
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nbgrader.api import SubmittedAssignment
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from autograder.records.ledger import Ledger
from autograder.records.marks import reading
from autograder.records.result_store import stored_result
from course.errors import CourseError
from course.storage import write_atomic

CANVAS_HEADER = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
MOODLE_HEADER = ["Username", "First name", "Last name", "Email address"]
PLAIN_HEADER = ["student", "last_name", "first_name", "email", "lab", "handed_in", "status"]
PLAIN_HEADER += ["raw_score", "late_penalty", "score", "max_score", "needs_manual_grade"]
MATCHED = {
    "canvas": ("SIS Login ID", "SIS User ID", "ID", "Integration ID"),
    "moodle": ("Username", "ID number", "Email address"),
}
POINTS_POSSIBLE = "Points Possible"
WORKSHEET = ("Identifier", "Grade")
NOT_OURS = ("EX", "N/A")  # Canvas: excused, and not assigned to this student
NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?\s?%?")
FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


@dataclass(frozen=True)
class Grade:
    """A student's grade for a lab, as nbgrader has it."""

    student: str
    last_name: str
    first_name: str
    email: str
    lab: str
    title: str
    handed_in: str
    status: str
    raw_score: float
    late_penalty: float
    max_score: float
    needs_manual_grade: bool

    @property
    def score(self) -> float:
        """Points after the penalty, at least 0."""
        return max(0.0, self.raw_score - self.late_penalty)


@dataclass
class Sheet:
    """A CSV file: its header, its rows, each as long as the header, and how it is written."""

    header: list[str]
    rows: list[list[str]] = field(default_factory=list)
    delimiter: str = ","
    mark: str = ""

    def column(self, name: str) -> int:
        """The place of a column, -1 if there is none."""
        return self.header.index(name) if name in self.header else -1

    def add_column(self, name: str) -> int:
        """Append an empty column; return its place."""
        self.header.append(name)
        for row in self.rows:
            row.append("")
        return len(self.header) - 1

    def text(self) -> str:
        """The file's content, with cells that a spreadsheet would run made harmless."""
        out = io.StringIO()
        writer = csv.writer(out, delimiter=self.delimiter, lineterminator="\r\n")
        writer.writerows([guarded(cell) for cell in row] for row in [self.header, *self.rows])
        return self.mark + out.getvalue()


def guarded(cell: str) -> str:
    """The cell, with an apostrophe before it if a spreadsheet would take it for a formula."""
    harmless = not cell.startswith(FORMULA) or cell == "-" or NUMBER.fullmatch(cell)
    return cell if harmless else f"'{cell}"


def read_grades(root: Path, labs: Sequence[str] = ()) -> list[Grade]:
    """The grades in the gradebook of a class folder, by lab and student.

    Args:
        root: the class folder.
        labs: ids of the labs that are wanted; all if there are none.

    Raises:
        CourseError: there is no gradebook, or no grade in it for these labs.
    """
    path = root / "gradebook.db"
    if not path.is_file():
        raise CourseError(f"A gradebook was expected at {path} and is not there: run `course grade --class`.")
    ledger = Ledger(root / "ledger.jsonl")
    titles = _titles(root, ledger)
    with reading(path) as session:
        query = select(SubmittedAssignment).options(
            joinedload(SubmittedAssignment.student), joinedload(SubmittedAssignment.assignment)
        )
        found = [_grade(one, titles, ledger) for one in session.scalars(query)]
    grades = sorted((one for one in found if not labs or one.lab in labs), key=lambda one: (one.lab, one.student))
    if not grades:
        known = ", ".join(sorted({one.lab for one in found})) or "none"
        raise CourseError(
            f"No grade of {', '.join(labs) or 'any lab'} is in {path}; the labs with grades are: {known}."
        )
    return grades


def export(
    grades: Sequence[Grade], layout: str, lms: Path | None = None, columns: Mapping[str, str] | None = None
) -> tuple[str, list[str]]:
    """The CSV file, and sentences about what a person should know before importing it.

    Args:
        grades: from :func:`read_grades`.
        layout: ``canvas``, ``moodle`` or ``plain``.
        lms: a file that Canvas or Moodle exported, to be filled in.
        columns: by a lab's id, the name of the file's column for it, where it has another name than the lab.

    Raises:
        CourseError: the file is no such export, or nobody in it is in the gradebook.
    """
    notes = _ungraded(grades)
    if layout == "plain":
        sheet = _plain(grades)
    elif lms is None:
        sheet = _new_canvas(grades) if layout == "canvas" else _new_moodle(grades)
    else:
        sheet = read_sheet(lms)
        notes += _fill(sheet, layout, grades, dict(columns or {}), lms)
    return sheet.text(), notes + _guarded(sheet)


def write_export(path: Path, text: str) -> None:
    """Write the file as UTF-8; what UTF-8 cannot hold becomes a question mark."""
    write_atomic(path, text.encode(errors="replace"))


def read_sheet(path: Path) -> Sheet:
    """A CSV file with a header, separated by commas, semicolons or tabs.

    Raises:
        CourseError: it cannot be read, or has no header and rows.
    """
    try:
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
        delimiter = max(",;\t", key=text.partition("\n")[0].count)
        lines = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(row)]
    except OSError as error:
        raise CourseError(f"{path} cannot be read ({error.strerror}); name the file that the LMS exported.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise CourseError(f"{path} is no CSV file in UTF-8 ({error}); export it again as CSV.") from error
    if len(lines) < 2:
        raise CourseError(f"{path} has {len(lines)} lines; a header and a line for each student were expected.")
    header = [name.strip() for name in lines[0]]
    rows = [(row + [""] * len(header))[: len(header)] for row in lines[1:]]
    return Sheet(header, rows, delimiter, "\ufeff" if content.startswith(BOM_UTF8) else "")


def _grade(submission: SubmittedAssignment, titles: Mapping[str, str], ledger: Ledger) -> Grade:
    student, lab = submission.student, submission.assignment.name
    entry = ledger.latest.get((lab, student.id))
    return Grade(
        student=student.id,
        last_name=student.last_name or "",
        first_name=student.first_name or "",
        email=student.email or "",
        lab=lab,
        title=titles.get(lab, lab),
        handed_in=f"{submission.timestamp:%Y-%m-%dT%H:%M:%SZ}" if submission.timestamp else "",
        status=str(entry.status) if entry else "",
        raw_score=submission.score or 0.0,
        late_penalty=submission.late_submission_penalty or 0.0,
        max_score=submission.max_score or 0.0,
        needs_manual_grade=bool(submission.needs_manual_grade),
    )


def _titles(root: Path, ledger: Ledger) -> dict[str, str]:
    """The titles of labs, as their results have them."""
    titles: dict[str, str] = {}
    for (lab, student), entry in ledger.latest.items():
        result = stored_result(root, lab, student, entry.key) if lab not in titles else None
        titles |= {lab: result.lab_title} if result else {}
    return titles


def _number(value: float) -> str:
    return f"{round(value, 2):g}" if value < 1e5 else f"{value:.2f}"


def _plain(grades: Iterable[Grade]) -> Sheet:
    rows = [
        [one.student, one.last_name, one.first_name, one.email, one.lab, one.handed_in, one.status]
        + [_number(value) for value in (one.raw_score, one.late_penalty, one.score, one.max_score)]
        + ["yes" if one.needs_manual_grade else "no"]
        for one in grades
    ]
    return Sheet(list(PLAIN_HEADER), rows)


def _labs(grades: Iterable[Grade]) -> dict[str, Grade]:
    """For each lab one of its grades, which knows title and points."""
    return {one.lab: one for one in grades}


def _students(grades: Iterable[Grade]) -> dict[str, dict[str, Grade]]:
    found: dict[str, dict[str, Grade]] = {}
    for one in grades:
        found.setdefault(one.student, {})[one.lab] = one
    return found


def _new_canvas(grades: Sequence[Grade]) -> Sheet:
    labs = _labs(grades)
    sheet = Sheet([*CANVAS_HEADER, *(one.title for one in labs.values())])
    points = [_number(one.max_score) for one in labs.values()]
    sheet.rows.append([f"    {POINTS_POSSIBLE}", *[""] * (len(CANVAS_HEADER) - 1), *points])
    for student, own in _students(grades).items():
        one = next(iter(own.values()))
        name = ", ".join(part for part in (one.last_name, one.first_name) if part) or student
        scores = [_number(own[lab].score) if lab in own else "" for lab in labs]
        sheet.rows.append([name, "", "", student, "", *scores])
    return sheet


def _new_moodle(grades: Sequence[Grade]) -> Sheet:
    labs = _labs(grades)
    sheet = Sheet([*MOODLE_HEADER, *(one.title for one in labs.values())])
    for student, own in _students(grades).items():
        one = next(iter(own.values()))
        scores = [_number(own[lab].score) if lab in own else "" for lab in labs]
        sheet.rows.append([student, one.first_name, one.last_name, one.email, *scores])
    return sheet


def _fill(sheet: Sheet, layout: str, grades: Sequence[Grade], columns: dict[str, str], path: Path) -> list[str]:
    """Write the grades into the rows of a file of the LMS; return what a person should know."""
    by_student, labs = _students(grades), _labs(grades)
    if _is_worksheet(sheet, layout) and len(labs) > 1:
        raise CourseError(f"{path} is the worksheet of one assignment: name its lab with --lab, of {', '.join(labs)}.")
    rows, notes = _matched(sheet, layout, by_student, path)
    for lab, sample in labs.items():
        place = _lab_column(sheet, layout, sample, columns.get(lab), path)
        notes += _check_points(sheet, layout, sample, place)
        kept = 0
        for student, row in rows.items():
            excused = row[place].strip() in NOT_OURS
            kept += excused
            if lab in by_student[student] and not excused:
                row[place] = _number(by_student[student][lab].score)
        if kept:
            notes.append(f"{kept} students are excused from {sample.title} or do not have it; their cells stay.")
    return notes


def _is_worksheet(sheet: Sheet, layout: str) -> bool:
    return layout == "moodle" and all(name in sheet.header for name in WORKSHEET)


def _matched(
    sheet: Sheet, layout: str, by_student: Mapping[str, Mapping[str, Grade]], path: Path
) -> tuple[dict[str, list[str]], list[str]]:
    """The row of each student, by the column of the file in which most of them are found."""
    names = [name for name in MATCHED[layout] if name in sheet.header]
    if not names:
        raise CourseError(
            f"{path} has none of the columns {', '.join(MATCHED[layout])}, by which students are found in a file of "
            f"{layout.capitalize()}; it has {', '.join(sheet.header[:8])}. Export it from the gradebook again."
        )
    found = {name: _rows_by(sheet, name, by_student, path) for name in names}
    name = max(names, key=lambda one: len(found[one]))
    if not found[name]:
        raise CourseError(
            f"Nobody in {path} is in the gradebook: {', '.join(names)} were compared with the students' ids (such as "
            f"{next(iter(by_student))}) and e-mail addresses. Enter the students' addresses in formgrader."
        )
    missing = sorted(by_student.keys() - found[name].keys())
    listed = ", ".join(missing[:10]) + (f" and {len(missing) - 10} more" if len(missing) > 10 else "")
    notes = [f"{len(found[name])} students were found by {name}."]
    notes += [f"{len(missing)} with grades are not in {path.name}: {listed}."] if missing else []
    return found[name], notes


def _rows_by(
    sheet: Sheet, name: str, by_student: Mapping[str, Mapping[str, Grade]], path: Path
) -> dict[str, list[str]]:
    place = sheet.column(name)
    values = Counter(row[place].strip().casefold() for row in sheet.rows)
    rows = {row[place].strip().casefold(): row for row in sheet.rows if row[place].strip()}
    found = {}
    for student, own in by_student.items():
        wanted = [student, next(iter(own.values())).email]
        keys = [one.strip().casefold() for one in wanted if one.strip().casefold() in rows]
        if keys and values[keys[0]] > 1:
            raise CourseError(f"{path} has {values[keys[0]]} rows with {name} {keys[0]!r}; leave one of them in.")
        if keys:
            found[student] = rows[keys[0]]
    return found


def _lab_column(sheet: Sheet, layout: str, sample: Grade, named: str | None, path: Path) -> int:
    """The place of a lab's column: the one that was named, the worksheet's, the one called like the lab, or a new one.

    Raises:
        CourseError: there is no column of that name, or several could be meant.
    """
    if named is not None:
        if named not in sheet.header:
            raise CourseError(f"{path} has no column {named!r}; it has {', '.join(sheet.header)}.")
        return sheet.column(named)
    if _is_worksheet(sheet, layout):
        return sheet.column("Grade")
    wanted = {sample.title.casefold(), sample.lab.casefold()}
    fits = [place for place, name in enumerate(sheet.header) if _assignment(name).casefold() in wanted]
    if len(fits) > 1:
        listed = ", ".join(sheet.header[place] for place in fits)
        raise CourseError(
            f"{path} has several columns for {sample.lab}: {listed}. Choose with --column {sample.lab}=NAME."
        )
    return fits[0] if fits else sheet.add_column(sample.title)


def _assignment(column: str) -> str:
    """The name of the assignment in a column's: without Canvas' ``(123)``, Moodle's ``Assignment:`` and ``(Real)``."""
    return re.sub(r"^(Assignment|Quiz|External tool): ?|\s*\((\d+|Real|Points)\)$", "", column).strip()


def _check_points(sheet: Sheet, layout: str, sample: Grade, place: int) -> list[str]:
    """Enter the points of a new Canvas column; say where the LMS has other points than the lab."""
    notes = []
    if layout == "canvas":
        cells = [row for row in sheet.rows if row[0].strip().startswith(POINTS_POSSIBLE)]
        for row in cells:
            row[place] = row[place] or _number(sample.max_score)
        given = [row[place] for row in cells]
    else:
        maximum = sheet.column("Maximum Grade")
        given = [row[maximum] for row in sheet.rows if row[maximum].strip()] if maximum >= 0 else []
    others = {one for one in given if _as_number(one) != sample.max_score}
    if others:
        listed = ", ".join(sorted(others))
        notes.append(
            f"{sheet.header[place]} is out of {listed} there, and {sample.title} has {_number(sample.max_score)} "
            "points; scores are written as points of the lab. Set the points there first."
        )
    return notes


def _as_number(text: str) -> float | None:
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        return None


def _ungraded(grades: Iterable[Grade]) -> list[str]:
    waiting = Counter(one.title for one in grades if one.needs_manual_grade)
    return [
        f"{count} submissions of {title} wait for a person, whose points are not in their scores yet."
        for title, count in waiting.items()
    ]


def _guarded(sheet: Sheet) -> list[str]:
    changed = sum(guarded(cell) != cell for row in [sheet.header, *sheet.rows] for cell in row)
    if not changed:
        return []
    return [
        f"{changed} cells begin like a formula and got an apostrophe before them, so that no spreadsheet runs them; "
        "where such a cell tells who a student is, the LMS will not know it: enter that grade by hand."
    ]
