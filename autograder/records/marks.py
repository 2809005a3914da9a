"""Reading a gradebook: what nbgrader's tables say of every cell of every submission, in two queries."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from nbgrader.api import Assignment, BaseCell, Comment, Grade, SubmittedAssignment, SubmittedNotebook
from sqlalchemy import URL, Row, create_engine, select
from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Mark:
    """What a gradebook has for a cell: the grader's score, and what a person entered."""

    auto: float | None = None
    manual: float | None = None
    extra: float | None = None
    needs_person: bool = False
    comment: str | None = None

    @property
    def by_hand(self) -> dict[str, float | str]:
        """What a person entered, by its name."""
        entered = {"score": self.manual, "extra credit": self.extra, "comment": self.comment or None}
        return {name: value for name, value in entered.items() if value is not None}


@contextmanager
def reading(path: Path) -> Iterator[Session]:
    """A session on the database at ``path``, which adds nothing to it, unlike nbgrader's ``Gradebook``."""
    engine = create_engine(URL.create("sqlite", database=str(path)))
    try:
        with Session(engine) as session:
            yield session
    finally:
        engine.dispose()


def read_marks(session: Session) -> Mapping[tuple[str, str], dict[str, Mark]]:
    """The marks of each lab and student, by the name of the cell."""
    found: dict[tuple[str, str], dict[str, Mark]] = defaultdict(dict)
    scores = (Grade.auto_score, Grade.manual_score, Grade.extra_credit, Grade.needs_manual_grade)
    for lab, student, cell, *values in _rows(session, Grade, *scores):
        found[lab, student][cell] = Mark(*values)
    for lab, student, cell, text in _rows(session, Comment, Comment.manual_comment):
        found[lab, student][cell] = replace(found[lab, student].get(cell, Mark()), comment=text)
    return found


def _rows(session: Session, kind: type[Grade] | type[Comment], *columns) -> Iterable[Row]:
    """The columns of all grades or comments, behind lab, student and name of the cell."""
    return session.execute(
        select(Assignment.name, SubmittedAssignment.student_id, BaseCell.name, *columns)
        .join_from(kind, BaseCell, kind.cell_id == BaseCell.id)
        .join(SubmittedNotebook, kind.notebook_id == SubmittedNotebook.id)
        .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
    )
