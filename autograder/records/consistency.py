"""Whether a class folder agrees with itself: results, ledger, gradebook and the files that are made from them.

An instructor may ask at any time; the grader's own tests ask after every way in which they stop it.
"""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from autograder.class_folder import COURSE_ID
from autograder.classroom import UNFINISHED, left_behind, only_one_grader
from autograder.collection import kept_submissions
from autograder.records.backups import damage
from autograder.records.gradebook import ClassGradebook, damaged, told
from autograder.records.ledger import Ledger, LedgerEntry
from autograder.records.marks import Mark, read_marks, reading
from autograder.records.result_store import is_of, result_path
from autograder.result import Result
from course.storage import is_whole

AGAIN = "run `course grade --class` again, which makes it anew"
Marks = Mapping[tuple[str, str], Mapping[str, Mark]]


def audit(root: Path) -> list[str]:
    """What does not agree in the class folder ``root``: a sentence for each finding, none if all is well.

    Raises:
        CourseError: a grader is at work in the folder, or another program holds the gradebook.
    """
    root = Path(root).resolve()
    with only_one_grader(root):
        gradebook = ClassGradebook(root, COURSE_ID)
        return [
            *_interrupted(root),
            *_submissions(root),
            *_results(root, gradebook.ledger),
            *_ledger(gradebook.ledger),
            *_pages(root, gradebook.ledger),
            *_gradebook(gradebook),
        ]


def _interrupted(root: Path) -> Iterator[str]:
    if (root / UNFINISHED).exists():
        yield "The last run did not come to its end; run `course grade --class` again, which goes on from there."
    for path in left_behind(root):
        yield f"{path.relative_to(root)}: left behind by a run that was killed; the next run removes it."


def _submissions(root: Path) -> Iterator[str]:
    for path in sorted(kept_submissions(root).glob("*.ipynb")):
        if hashlib.sha256(path.read_bytes()).hexdigest() != path.stem:
            yield f"{path.relative_to(root)}: not the bytes that were handed in, whose SHA-256 is its name; {AGAIN}."


def _results(root: Path, ledger: Ledger) -> Iterator[str]:
    """Each result that the ledger relies on is there, whole, its own and with the score that was entered."""
    for (lab, student), entry in sorted(ledger.latest.items()):
        path = result_path(root, lab, student, entry.key)
        name = path.relative_to(root)
        try:
            result = Result.read(path)
        except FileNotFoundError:
            yield f"{name}: the result that the ledger names is missing; {AGAIN}."
        except ValueError:
            yield f"{name}: the result is torn; {AGAIN}."
        else:
            if not is_of(result, lab, student, entry.key):
                yield f"{name}: the result of {result.student} for {result.lab} in the place of another; {AGAIN}."
            yield from _against_entry(entry, result)


def _against_entry(entry: LedgerEntry, result: Result) -> Iterator[str]:
    who = f"{entry.student}, {entry.lab}"
    if (result.status, result.score, result.max_score) != (entry.status, entry.score, entry.max_score):
        yield f"{who}: the ledger says {entry.score} ({entry.status}), the result {result.score} ({result.status})."
    if result.score != sum(task.score for task in result.tasks):
        yield f"{who}: the result says {result.score}, and its tasks add up to another score."


def _ledger(ledger: Ledger) -> Iterator[str]:
    for number in ledger.torn:
        yield f"{ledger.path.name}, line {number}: not an entry of the ledger."
    for (lab, student), entry in sorted(ledger.latest.items()):
        entered = sum(score or 0 for score in entry.scores.values())
        if entry.scores and entered != entry.score:
            yield f"{student}, {lab}: the ledger's scores of tasks add up to {entered:g}, its score is {entry.score}."


def _pages(root: Path, ledger: Ledger) -> Iterator[str]:
    """What formgrader and students read is there and whole."""
    for lab, student in sorted(ledger.latest):
        made = [(root / "feedback" / student / lab / f"{lab}.html", b"</html>")]
        made += [(root / "autograded" / student / lab / f"{lab}.ipynb", b"}")]
        for path, end in made:
            if not is_whole(path, end):
                yield f"{path.relative_to(root)}: missing or torn; {AGAIN}."


def _gradebook(gradebook: ClassGradebook) -> Iterator[str]:
    """The gradebook is whole and has what the ledger says, and all that persons entered before its last copy."""
    ledger, last = gradebook.ledger, gradebook.backups.last_good()
    for copy in gradebook.backups.all():
        if reason := damage(copy):
            yield f"{copy.relative_to(gradebook.path.parent)}: this copy of the gradebook is damaged ({reason})."
    if not gradebook.path.exists() and not ledger.latest:
        return
    with told(gradebook.path):
        if reason := gradebook.damage():
            yield damaged(gradebook.path, reason)
            return
        with reading(gradebook.path) as session:
            marks = read_marks(session)
        entered = gradebook.entered
        yield from _against_marks(ledger, entered, marks)
        if last is not None:
            with reading(last) as session:
                yield from _gone(read_marks(session), marks, last.name)


def _against_marks(ledger: Ledger, entered: Mapping[tuple[str, str], LedgerEntry], marks: Marks) -> Iterator[str]:
    """The ledger, the gradebook's own note of what was entered, and its scores."""
    for lab, student in sorted(marks.keys() | ledger.latest.keys() | entered.keys()):
        who, entry = f"{student}, {lab}", ledger.latest.get((lab, student))
        if entry is None:
            yield f"{who}: the gradebook has a submission that the ledger does not know."
        elif entered.get((lab, student)) != entry:
            yield f"{who}: the last line of the ledger is not what the gradebook says was entered last; {AGAIN}."
        else:
            for cell, score in sorted(entry.scores.items()):
                found = marks[lab, student].get(cell) if (lab, student) in marks else None
                if found is None or found.auto != score:
                    there = "nothing" if found is None or found.auto is None else f"{found.auto:g}"
                    yield f"{who}: the gradebook has {there} for {cell}, the ledger {score}."


def _gone(before: Marks, now: Marks, copy: str) -> Iterator[str]:
    """What persons entered, is in the last copy, and is not there any more."""
    for where, cells in sorted(before.items()):
        for cell, mark in sorted(cells.items()):
            left = now[where].get(cell, Mark()).by_hand if where in now else {}
            for name in mark.by_hand.keys() - left.keys():
                yield (
                    f"{where[1]}, {where[0]}: the {name} that a person entered for {cell} is in backups/{copy} and not "
                    "in the gradebook; if nobody took it back, enter it again."
                )
