"""What was handed in: a class's ``submitted`` folder, read without following a link anywhere in it."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from nbgrader.utils import parse_utc

from autograder.grading import Assignment
from autograder.intake import Rejected, canonical, parse, read_entry, store
from autograder.result import Status

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
TIMESTAMP_LIMIT = 200


@dataclass(frozen=True)
class Handed:
    """What a student handed in for a lab: the bytes' SHA-256 in the store, or why there are none."""

    student: str
    lab: str
    submission: str | None = None
    rejected: Rejected | None = None
    notes: tuple[str, ...] = ()
    timestamp: str | None = None


def collect(root: Path, assignments: Mapping[str, Assignment], strangers: list[str]) -> Iterator[Handed]:
    """Everything handed in for the labs, by student and lab, with its bytes kept in ``results/submissions``.

    Args:
        root: the class folder.
        assignments: the labs to look for, by id.
        strangers: gets a sentence for each entry that is not read.
    """
    with _folder(root / "submitted") as submitted:
        for student in _names(submitted):
            try:
                with _folder(student, submitted) as own:
                    yield from _collect_labs(root, student, own, assignments, strangers)
            except OSError:
                strangers.append(f"submitted/{student}: not a folder, or a link to one; not read")


def _collect_labs(
    root: Path, student: str, own: int, assignments: Mapping[str, Assignment], strangers: list[str]
) -> Iterator[Handed]:
    for lab in _names(own):
        if lab not in assignments:
            strangers.append(f"submitted/{student}/{lab}: not one of the labs that are graded")
            continue
        try:
            with _folder(lab, own) as folder:
                yield _take_in(root, student, assignments[lab], folder)
        except OSError:
            refused = Rejected(Status.REFUSED, f"{lab} is not a folder, or a link to one. Hand in the notebook itself.")
            yield Handed(student, lab, rejected=refused)


def _take_in(root: Path, student: str, assignment: Assignment, folder: int) -> Handed:
    """Read and store a student's notebook; the one of this lab, if it was renamed."""
    lab, limit = assignment.lab.id, assignment.policy.submission_bytes
    try:
        name, notes = _notebook_name(assignment, folder)
        content = read_entry(folder, name, limit)
    except Rejected as rejected:
        return Handed(student, lab, rejected=rejected)
    submission = store(content, kept_submissions(root))
    return Handed(student, lab, submission, notes=notes, timestamp=_timestamp(folder))


def kept_submissions(root: Path) -> Path:
    """The folder in which a class keeps the bytes that were handed in."""
    return root / "results" / "submissions"


def _notebook_name(assignment: Assignment, folder: int) -> tuple[str, tuple[str, ...]]:
    """The name of the notebook to grade, and a note if it is not the expected one.

    Raises:
        Rejected: there is none, or several could be meant.
    """
    lab, names = assignment.lab.id, os.listdir(folder)
    expected = f"{lab}.ipynb"
    if expected in names:
        return expected, ()
    fitting = [name for name in sorted(names) if name.endswith(".ipynb") and _is_of(assignment, folder, name)]
    if len(fitting) == 1:
        return fitting[0], (
            f"Handed in as {fitting[0][:80]}; {expected} was expected, and its cells are those of {lab}.",
        )
    found = ", ".join(name[:80] for name in sorted(names)[:5]) or "nothing"
    what = "several notebooks of this lab" if fitting else "no notebook of this lab"
    raise Rejected(Status.MALFORMED, f"There is {what} among what was handed in ({found}). Hand in {expected}.")


def _is_of(assignment: Assignment, folder: int, name: str) -> bool:
    try:
        notebook = parse(read_entry(folder, name, assignment.policy.submission_bytes))
        canonical(notebook, assignment.lab.id, assignment.released)
    except Rejected:
        return False
    return True


def _timestamp(folder: int) -> str | None:
    """nbgrader's note of when the submission was handed in, if there is a readable one."""
    with contextlib.suppress(Rejected, FileNotFoundError, ValueError, OverflowError):
        text = read_entry(folder, "timestamp.txt", TIMESTAMP_LIMIT).decode().strip()
        parse_utc(text)
        return text
    return None


def _names(folder: int) -> list[str]:
    return sorted(name for name in os.listdir(folder) if not name.startswith("."))


@contextlib.contextmanager
def _folder(path: Path | str, above: int | None = None) -> Iterator[int]:
    """An open folder that is no link."""
    descriptor = os.open(path, FOLDER, dir_fd=above)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
