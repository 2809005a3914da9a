"""nbgrader's gradebook of a class, written by one writer and through nbgrader's own API.

What a person entered (scores, comments) stays. Before anything is written the database is copied; after a result is
written, a line of the ledger says so. A grader that is killed in between applies the result once more, which
changes nothing.
"""

import contextlib
import json
import os
import sqlite3
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.preprocessors import SaveCells
from nbgrader.utils import parse_utc
from sqlalchemy.exc import OperationalError, SAWarning

from autograder.grading import Assignment
from autograder.result import Result, Status
from course.errors import CourseError

BACKUPS_KEPT = 10
BUSY = (
    "The gradebook {path} is being written by another program ({reason}). "
    "Close formgrader or wait for it, then run the same command again: nothing is graded twice."
)


@dataclass(frozen=True)
class ByHand:
    """What a person entered for a question or a task: a score, a comment, or both."""

    score: float | None
    comment: str | None

    @property
    def is_given(self) -> bool:
        """Whether there is anything."""
        return self.score is not None or bool(self.comment)


class Ledger:
    """The file ``ledger.jsonl`` of a class: one line for each result that was applied, never changed afterwards."""

    def __init__(self, path: Path):
        self.path = path
        self.latest: dict[tuple[str, str], dict] = {}
        for line in path.read_bytes().splitlines() if path.exists() else []:
            # A line that a power cut tore is no JSON; its result is applied again.
            with contextlib.suppress(ValueError):
                entry = json.loads(line)
                self.latest[entry["lab"], entry["student"]] = entry

    def has(self, result: Result) -> bool:
        """Whether the result is the one that was last applied for its student and lab."""
        return self.latest.get((result.lab, result.student), {}).get("key") == result.key

    def add(self, result: Result) -> None:
        """Append a line for an applied result, on disk when this returns."""
        entry = {"time": datetime.now(UTC).isoformat(timespec="seconds")}
        entry |= result.model_dump(
            mode="json", include={"lab", "student", "key", "submission", "status", "score", "max_score", "seconds"}
        )
        with self.path.open("ab+") as file:
            file.seek(-1, os.SEEK_END) if file.seek(0, os.SEEK_END) else None
            torn = file.read(1) not in (b"", b"\n")
            file.write(b"\n" * torn + json.dumps(entry).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self.latest[result.lab, result.student] = entry


class ClassGradebook:
    """The gradebook of the class folder ``root``.

    Raises:
        CourseError: from every method, when another program holds the database.
    """

    def __init__(self, root: Path, course_id: str):
        self.path, self.course_id = root / "gradebook.db", course_id
        self.url = f"sqlite:///{self.path}"
        self.ledger = Ledger(root / "ledger.jsonl")

    def apply(self, assignment: Assignment, results: list[Result], timestamps: dict[str, str]) -> list[Result]:
        """Enter the results of an assignment that are not in the gradebook yet; return those.

        Args:
            assignment: whose release tells the cells and points.
            results: at most one for each student; failures of the grading itself are left out.
            timestamps: when students handed in, as nbgrader writes it, for those of whom it is known.
        """
        new = [one for one in results if one.status is not Status.INFRASTRUCTURE and not self.ledger.has(one)]
        if new:
            self._back_up()
            with self._open() as gradebook:
                self._register(gradebook, assignment)
                for result in new:
                    _enter(
                        gradebook,
                        _scores(assignment, result),
                        result,
                        timestamps.get(result.student),
                        self._is_another(result),
                    )
                    self.ledger.add(result)
        return new

    def by_hand(self, assignment: Assignment) -> dict[str, dict[str, ByHand]]:
        """What persons entered for an assignment: by student, then by the id of the task or question."""
        lab = assignment.lab
        cells = [(task.id, task.check_cell_id, task.solution_cell_id) for task in lab.tasks]
        cells += [(question.id, question.id, question.id) for question in lab.manual]
        found: dict[str, dict[str, ByHand]] = {}
        with self._open() as gradebook:
            for submission in gradebook.notebook_submissions(lab.id, lab.id):
                scores = {grade.name: grade.manual_score for grade in submission.grades}
                comments = {comment.name: comment.manual_comment for comment in submission.comments}
                entries = {name: ByHand(scores.get(graded), comments.get(text)) for name, graded, text in cells}
                found[submission.student.id] = {name: entry for name, entry in entries.items() if entry.is_given}
        return found

    @contextlib.contextmanager
    def _open(self) -> Iterator[Gradebook]:
        with _told_when_busy(self.path), warnings.catch_warnings():
            # nbgrader adds rows in an order that SQLAlchemy 2.1 comments on.
            warnings.simplefilter("ignore", SAWarning)
            with Gradebook(self.url, self.course_id) as gradebook:
                yield gradebook

    def _back_up(self) -> None:
        """Copy the database, if there is one, and keep the last few copies."""
        if not self.path.exists():
            return
        folder = self.path.parent / "backups"
        folder.mkdir(exist_ok=True)
        copy = folder / f"gradebook-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}.db"
        # Unlike sqlite3's backup, which waits for ever, this gives up when another program holds the database.
        with _told_when_busy(self.path), contextlib.closing(sqlite3.connect(self.path)) as database:
            database.execute("VACUUM INTO ?", (str(copy),))
        for old in sorted(folder.glob("gradebook-*.db"))[:-BACKUPS_KEPT]:
            old.unlink()

    def _register(self, gradebook: Gradebook, assignment: Assignment) -> None:
        """Have nbgrader store the release's cells and points, as ``nbgrader generate_assignment`` does."""
        lab_id = assignment.lab.id
        gradebook.update_or_create_assignment(lab_id)
        names = {"notebook": lab_id, "assignment": lab_id, "db_url": self.url}
        try:
            SaveCells().preprocess(assignment.release, {"nbgrader": names})
        except RuntimeError as error:
            raise CourseError(
                f"The cells of {lab_id} are others than in the gradebook {self.path}, which has grades for them. "
                "Grade with the version of the lab that the class has, or start a new class folder."
            ) from error
        gradebook.db.expire_all()

    def _is_another(self, result: Result) -> bool:
        """Whether the student handed in something else since the last result."""
        last = self.ledger.latest.get((result.lab, result.student))
        return last is not None and last["submission"] != result.submission


@contextlib.contextmanager
def _told_when_busy(path: Path) -> Iterator[None]:
    """Turn the database's being held by another program into a sentence."""
    try:
        yield
    except (OperationalError, sqlite3.OperationalError) as error:
        raise CourseError(BUSY.format(path=path, reason=getattr(error, "orig", error))) from error


def _scores(assignment: Assignment, result: Result) -> dict[str, float | None]:
    """The score of each graded cell; None where a person has to look."""
    cells = {task.id: task.check_cell_id for task in assignment.lab.tasks}
    scores = {cells[task.id]: float(task.score) for task in result.tasks}
    return scores | {question.id: None if question.answered else 0.0 for question in result.manual}


def _enter(
    gradebook: Gradebook, scores: dict[str, float | None], result: Result, timestamp: str | None, resubmitted: bool
) -> None:
    """Enter one result. What a person scored, and questions, are to be looked at again after a new submission."""
    gradebook.update_or_create_student(result.student)
    known = {"timestamp": parse_utc(timestamp)} if timestamp else {}
    gradebook.update_or_create_submission(result.lab, result.student, **known)
    for grade in gradebook.find_submission_notebook(result.lab, result.lab, result.student).grades:
        grade.auto_score = scores[grade.name]
        scored_by_hand = grade.manual_score is not None
        grade.needs_manual_grade = resubmitted if scored_by_hand else grade.auto_score is None
    gradebook.db.commit()
