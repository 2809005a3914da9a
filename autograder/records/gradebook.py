"""nbgrader's gradebook of a class, written by one writer and through nbgrader's own API.

What a person entered (scores, comments) stays. For each student the scores and the note that they were entered, in a
table of our own, are one transaction; the line of the ledger follows from that note. So a grader that was killed at
any moment, or a gradebook that was put back from a copy, shows what is entered and what is not, and nothing is entered
twice.
"""

import contextlib
import sqlite3
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from nbgrader.api import Assignment as AssignmentRow
from nbgrader.api import BaseCell, Comment, Grade, Gradebook, SubmittedAssignment, SubmittedNotebook
from nbgrader.utils import parse_utc
from sqlalchemy import Column, MetaData, String, Table, Text, inspect, or_, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DBAPIError, SAWarning
from sqlalchemy.orm import Session

from autograder.grading import Assignment
from autograder.nbgrader.penalties import LatePenalties
from autograder.records.backups import Backups, damage
from autograder.records.ledger import Ledger, LedgerEntry
from autograder.records.marks import Mark, read_marks, reading
from autograder.records.release_cells import register_cells
from autograder.result import Result, Status
from course.errors import CourseError
from course.storage import PREFIX, SUFFIX, sync_folder

ENTERED = Table(
    "course_entered",
    MetaData(),
    Column("lab", String(128), primary_key=True),
    Column("student", String(128), primary_key=True),
    Column("entry", Text, nullable=False),
)
BUSY = (
    "The gradebook {path} is being written by another program ({reason}). "
    "Close formgrader or wait for it, then run the same command again: nothing is graded twice."
)
FULL = (
    "There is no room left on the disk of {path} ({reason}). Make room, then run the same command again: "
    "what was graded is kept, and nothing is graded twice."
)
FAILED = (
    "The gradebook {path} could not be read or written ({reason}). Look at the disk and at who may write there, then "
    "run the same command again: nothing is graded twice."
)
DAMAGED = (
    "The gradebook {path} cannot be read ({reason}). {rescue} Then run the same command again: results are kept and "
    "entered again; what a person entered after that copy was made is missing from it."
)
RESCUE = (
    "The last good copy is {copy}: move {path} and, if it is there, {path}-journal out of the class folder, and copy "
    "{copy} to {path}."
)
NO_RESCUE = "There is no good copy in backups; move it and ledger.jsonl out of the class folder to begin a new one."
NOTHING = Mark()
NO_RESPONSE = "No response."  # nbgrader's own words for a cell that was left as released
DAMAGE_CODES = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


@dataclass(frozen=True)
class ByHand:
    """What a person entered for a question or a task: a score, a comment, or both."""

    score: float | None
    comment: str | None

    @property
    def is_given(self) -> bool:
        """Whether there is anything."""
        return self.score is not None or bool(self.comment)


class ClassGradebook:
    """The gradebook of the class folder ``root``, for one run, whose grader is alone in the folder.

    Raises:
        CourseError: from every method, when another program holds the database, it is damaged, or the disk is full.
    """

    def __init__(self, root: Path, course_id: str):
        self.path, self.course_id = root / "gradebook.db", course_id
        self.ledger, self.backups = Ledger(root / "ledger.jsonl"), Backups(self.path)
        self._backed_up, self._registered = False, set()

    def recover(self) -> None:
        """Require a whole database, and add the lines that the ledger lacks because a grader was killed.

        A first gradebook is made; one that is empty beside a ledger that has entries was lost, and is not replaced.
        """
        with told(self.path):
            if not self.path.exists() and not self.ledger.latest:
                self._create()
            if reason := self.damage():
                raise CourseError(damaged(self.path, reason))
            for entry in self.entered.values():
                last = self.ledger.latest.get((entry.lab, entry.student))
                if last is None or last.number < entry.number:
                    self.ledger.add(entry)

    def damage(self) -> str | None:
        """What is wrong with the database as a whole; None if nothing is."""
        if reason := damage(self.path):
            return reason
        with reading(self.path) as session:
            if self.ledger.latest and session.scalar(select(SubmittedAssignment.id).limit(1)) is None:
                return "it has no submissions, and the ledger has"
        return None

    @cached_property
    def entered(self) -> dict[tuple[str, str], LedgerEntry]:
        """What the gradebook itself says was entered last, by lab and student."""
        with told(self.path), reading(self.path) as session:
            if not inspect(session.connection()).has_table(ENTERED.name):
                return {}
            rows = session.execute(select(ENTERED.c.lab, ENTERED.c.student, ENTERED.c.entry))
            return {(lab, student): LedgerEntry.model_validate_json(entry) for lab, student, entry in rows}

    def waiting(self, results: Sequence[Result]) -> list[Result]:
        """Those of the results that are not in the gradebook; failures of the grading itself never are."""
        keys = {where: entry.key for where, entry in self.entered.items()}
        ready = (result for result in results if result.status is not Status.INFRASTRUCTURE)
        return [result for result in ready if keys.get((result.lab, result.student)) != result.key]

    def prepare(self, assignment: Assignment) -> None:
        """Copy the gradebook, and register the cells of a release; each once in a run.

        Raises:
            CourseError: the gradebook has grades for cells that the release has no longer.
        """
        if assignment.lab.id in self._registered:
            return
        with told(self.path):
            self._back_up()
            with self._open() as gradebook, one_transaction(gradebook):
                register_cells(gradebook, assignment)
                ENTERED.create(gradebook.db.connection(), checkfirst=True)
        self._registered.add(assignment.lab.id)

    def apply(
        self, assignment: Assignment, results: Sequence[Result], timestamps: Mapping[str, str]
    ) -> list[LedgerEntry]:
        """Enter the results of an assignment that are not in the gradebook yet; return what was entered.

        Args:
            assignment: whose release tells the cells and points.
            results: at most one for each student.
            timestamps: when students handed in, as nbgrader writes it, for those of whom it is known.
        """
        new, entries = self.waiting(results), []
        if new:
            self.prepare(assignment)
            with told(self.path), self._open() as gradebook:
                entries = [self._enter(gradebook, assignment, result, timestamps.get(result.student)) for result in new]
        return entries

    def assign_penalties(self) -> None:
        """Bring the penalties for late submissions up to date, as the class configures them in nbgrader."""
        late = or_(AssignmentRow.duedate.is_not(None), SubmittedNotebook.late_submission_penalty.is_not(None))
        rows = select(SubmittedNotebook).join(SubmittedAssignment).join(AssignmentRow).where(late)
        with told(self.path):
            with reading(self.path) as session:
                if session.scalar(rows.limit(1)) is None:
                    return
            penalties = LatePenalties(self.path.parent)
            with self._open() as gradebook, one_transaction(gradebook):
                for notebook in gradebook.db.scalars(rows).all():
                    penalties.assign(notebook)
                    if gradebook.db().is_modified(notebook):
                        self._back_up()

    def by_hand(self, assignments: Sequence[Assignment]) -> dict[str, dict[str, dict[str, ByHand]]]:
        """What persons entered: by lab, student, and the id of the task or question."""
        with told(self.path), reading(self.path) as session:
            marks = read_marks(session)
        found: dict[str, dict[str, dict[str, ByHand]]] = {one.lab.id: {} for one in assignments}
        cells = {one.lab.id: _cells(one) for one in assignments}
        for (lab, student), marked in marks.items():
            if lab in found:
                entries = {
                    name: ByHand(marked.get(graded, NOTHING).manual, marked.get(text, NOTHING).comment)
                    for name, graded, text in cells[lab]
                }
                found[lab][student] = {name: entry for name, entry in entries.items() if entry.is_given}
        return found

    def _back_up(self) -> None:
        if not self._backed_up:
            self.backups.make()
            self._backed_up = True

    def _enter(
        self, gradebook: Gradebook, assignment: Assignment, result: Result, timestamp: str | None
    ) -> LedgerEntry:
        """Enter one result, and say so in the same transaction; then add the ledger's line."""
        where = result.lab, result.student
        noted, logged = self.entered.get(where), self.ledger.latest.get(where)
        last, marks = noted or logged, _Marks.of(assignment, result)
        with one_transaction(gradebook):
            if last is not None and last.submission == result.submission and _has(gradebook, result):
                submission = _change_marks(gradebook, result, marks)
            else:
                submission = _enter_submission(gradebook, result, marks, timestamp, resubmitted=last is not None)
            number = 1 + max((one.number for one in (noted, logged) if one), default=0)
            entry = LedgerEntry.of(result, marks.scores, submission.timestamp, last, number)
            _note(gradebook.db(), entry)
        self.entered[where] = entry
        self.ledger.add(entry)
        return entry

    def _create(self) -> None:
        """Have nbgrader make a new gradebook, which is there as a whole or not at all."""
        with tempfile.TemporaryDirectory(dir=self.path.parent, prefix=PREFIX, suffix=SUFFIX) as folder:
            path = Path(folder) / self.path.name
            Gradebook(f"sqlite:///{path}", self.course_id).close()
            path.replace(self.path)
        sync_folder(self.path.parent)

    @contextlib.contextmanager
    def _open(self) -> Iterator[Gradebook]:
        """nbgrader's gradebook, for writing within :func:`one_transaction`."""
        with warnings.catch_warnings():
            # nbgrader adds rows in an order that SQLAlchemy 2.1 comments on.
            warnings.simplefilter("ignore", SAWarning)
            with Gradebook(f"sqlite:///{self.path}", self.course_id) as gradebook, _one_connection(gradebook):
                yield gradebook


@contextlib.contextmanager
def _one_connection(gradebook: Gradebook) -> Iterator[None]:
    """Have a gradebook's session use one connection, on which its commits only end savepoints."""
    with gradebook.engine.connect() as connection:
        # Python's sqlite3 would begin transactions at moments of its own.
        connection.connection.driver_connection.isolation_level = None
        connection.exec_driver_sql("PRAGMA synchronous = EXTRA")
        connection.commit()
        gradebook.db.remove()
        # What it has read of the release's cells, which no other program changes, it may keep.
        gradebook.db.configure(bind=connection, join_transaction_mode="create_savepoint", expire_on_commit=False)
        try:
            yield
        finally:
            # Closing SQLite's connection takes back what was not committed, also after a disk that was full.
            connection.invalidate()
            gradebook.db.remove()


@contextlib.contextmanager
def one_transaction(gradebook: Gradebook) -> Iterator[None]:
    """Make one transaction of what nbgrader's API, which commits after each step, does within.

    The writer's lock is taken at once, so that formgrader's writes come before or after, never between; and the commit
    is on disk when this ends, journal's removal included.
    """
    connection = gradebook.db.get_bind()
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    yield
    gradebook.db.commit()
    connection.commit()


@contextlib.contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn what a database or a disk may fail with into a sentence about the gradebook at ``path``."""
    try:
        yield
    except (sqlite3.Error, DBAPIError, ValueError) as error:
        # nbgrader's API raises an InvalidEntry, a ValueError, while it handles an error of the database.
        fault = _database_error(error)
        if fault is None:
            raise
        code = getattr(fault, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code in DAMAGE_CODES:
            raise CourseError(damaged(path, str(fault))) from error
        sentence = {sqlite3.SQLITE_BUSY: BUSY, sqlite3.SQLITE_LOCKED: BUSY, sqlite3.SQLITE_FULL: FULL}.get(code, FAILED)
        raise CourseError(sentence.format(path=path, reason=fault)) from error


def damaged(path: Path, reason: str) -> str:
    """What to do about a gradebook that cannot be read."""
    copy = Backups(path).last_good()
    rescue = RESCUE.format(path=path, copy=copy) if copy else NO_RESCUE
    return DAMAGED.format(path=path, reason=reason, rescue=rescue)


def _database_error(error: BaseException | None) -> sqlite3.Error | None:
    """The first error of SQLite in what an exception came from; a later one may be of the tidying up."""
    found = None
    while error is not None:
        found = next((one for one in (error, getattr(error, "orig", None)) if isinstance(one, sqlite3.Error)), found)
        error = error.__cause__ or error.__context__
    return found


def _cells(assignment: Assignment) -> list[tuple[str, str, str]]:
    """For each task and question its id, the cell that has its score and the cell that has a person's comment."""
    lab = assignment.lab
    cells = [(task.id, task.check_cell_id, task.solution_cell_id) for task in lab.tasks]
    return cells + [(question.id, question.id, question.id) for question in lab.manual]


@dataclass(frozen=True)
class _Marks:
    """What the grader enters: by graded cell the score, None where a person has to look; by solution cell a comment."""

    scores: dict[str, float | None]
    comments: dict[str, str | None]

    @classmethod
    def of(cls, assignment: Assignment, result: Result) -> "_Marks":
        """The marks of a result."""
        tasks = {task.id: task for task in assignment.lab.tasks}
        scores = {tasks[one.id].check_cell_id: float(one.score) for one in result.tasks}
        scores |= {one.id: None if one.answered else 0.0 for one in result.manual}
        comments = {tasks[one.id].solution_cell_id: NO_RESPONSE if one.unsolved else None for one in result.tasks}
        comments |= {one.id: None if one.answered else NO_RESPONSE for one in result.manual}
        return cls(scores, comments)


def _has(gradebook: Gradebook, result: Result) -> bool:
    """Whether the gradebook has a submission of this student and lab."""
    rows = select(SubmittedAssignment.id).join(AssignmentRow)
    rows = rows.where(AssignmentRow.name == result.lab, SubmittedAssignment.student_id == result.student)
    return gradebook.db.scalar(rows) is not None


def _enter_submission(
    gradebook: Gradebook, result: Result, marks: _Marks, timestamp: str | None, resubmitted: bool
) -> SubmittedAssignment:
    """Enter what was handed in. What a person scored before, and questions, are to be looked at by a person."""
    gradebook.update_or_create_student(result.student)
    known = {"timestamp": parse_utc(timestamp)} if timestamp else {}
    submission = gradebook.update_or_create_submission(result.lab, result.student, **known)
    for cell, grade in _by_cell(gradebook, Grade, submission):
        grade.auto_score = marks.scores[cell]
        scored_by_hand = grade.manual_score is not None
        grade.needs_manual_grade = resubmitted if scored_by_hand else grade.auto_score is None
    for cell, comment in _by_cell(gradebook, Comment, submission):
        comment.auto_comment = marks.comments[cell]
    return submission


def _change_marks(gradebook: Gradebook, result: Result, marks: _Marks) -> SubmittedAssignment:
    """Enter what a new grading of the same submission changed; a person's own score there, if any, is to be seen."""
    submission = gradebook.find_submission(result.lab, result.student)
    for cell, grade in _by_cell(gradebook, Grade, submission):
        if grade.auto_score != marks.scores[cell]:
            grade.auto_score = marks.scores[cell]
            grade.needs_manual_grade = grade.auto_score is None or grade.manual_score is not None
    for cell, comment in _by_cell(gradebook, Comment, submission):
        comment.auto_comment = marks.comments[cell]
    return submission


def _by_cell(
    gradebook: Gradebook, kind: type[Grade] | type[Comment], submission: SubmittedAssignment
) -> list[tuple[str, Grade | Comment]]:
    """The grades or comments of a submission, each with the name of its cell, in one query."""
    rows = select(BaseCell.name, kind).join(BaseCell, kind.cell_id == BaseCell.id)
    rows = rows.join(SubmittedNotebook, kind.notebook_id == SubmittedNotebook.id)
    found = gradebook.db.execute(rows.where(SubmittedNotebook.assignment_id == submission.id))
    return [(name, row) for name, row in found]


def _note(session: Session, entry: LedgerEntry) -> None:
    """Write into the gradebook what was entered last for a student and a lab."""
    row = {"lab": entry.lab, "student": entry.student, "entry": entry.model_dump_json()}
    statement = insert(ENTERED).values(row)
    session.execute(statement.on_conflict_do_update(index_elements=["lab", "student"], set_={"entry": row["entry"]}))
