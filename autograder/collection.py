"""What was handed in: a class's ``submitted`` folder, read without following a link anywhere in it."""

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from nbgrader.utils import parse_utc

from autograder.archive import is_archive, notebook_in
from autograder.grading import Assignment
from autograder.intake import Rejected, canonical, parse, read_entry, readable, store
from autograder.result import Status

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
TIMESTAMP_LIMIT = 200
MOST_NOTEBOOKS = 20
# They join letters in the names of many people, and can be seen by what they join.
JOINERS = dict.fromkeys(map(ord, "\u200c\u200d"))


@dataclass(frozen=True)
class Handed:
    """What a student handed in for a lab: the bytes' SHA-256 in the store, or why there are none."""

    student: str
    lab: str
    submission: str | None = None
    rejected: Rejected | None = None
    notes: tuple[str, ...] = ()
    timestamp: str | None = None


def collect(
    root: Path,
    assignments: Mapping[str, Assignment],
    strangers: list[str],
    students: Callable[[str], bool] = lambda student: True,
) -> Iterator[Handed]:
    """Everything handed in for the labs, by student and lab, with its bytes kept in ``results/submissions``.

    Args:
        root: the class folder.
        assignments: the labs to look for, by id.
        strangers: gets a sentence for each entry that is not read.
        students: whose folders to open; everybody's if not given.
    """
    with _folder(root / "submitted") as submitted:
        for student in filter(students, _names(submitted)):
            if not student.translate(JOINERS).isprintable():
                name = readable(student)
                strangers.append(
                    f"submitted/{name}: the name has characters that no page can show; not read, rename it"
                )
                continue
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
            strangers.append(f"submitted/{student}/{readable(lab)}: not one of the labs that are graded")
            continue
        try:
            with _folder(lab, own) as folder:
                yield _take_in(root, student, assignments[lab], folder)
        except OSError:
            refused = Rejected(
                Status.REFUSED, f"What is called {lab} is no folder, or a link to one. Hand in the notebook itself."
            )
            yield Handed(student, lab, rejected=refused)


def _take_in(root: Path, student: str, assignment: Assignment, folder: int) -> Handed:
    """Read and store a student's notebook; the one of this lab, if it was renamed."""
    lab, limit = assignment.lab.id, assignment.policy.submission_bytes
    try:
        content, notes = _notebook(assignment, folder, limit)
    except Rejected as rejected:
        return Handed(student, lab, rejected=rejected, timestamp=_timestamp(folder))
    submission = store(content, kept_submissions(root))
    return Handed(student, lab, submission, notes=notes, timestamp=_timestamp(folder))


def kept_submissions(root: Path) -> Path:
    """The folder in which a class keeps the bytes that were handed in."""
    return root / "results" / "submissions"


def _notebook(assignment: Assignment, folder: int, limit: int) -> tuple[bytes, tuple[str, ...]]:
    """The bytes of the notebook to grade, and a note if it was not found under the expected name.

    Raises:
        Rejected: there is none, several could be meant, or it is refused.
    """
    lab, names = assignment.lab.id, sorted(os.listdir(folder))
    expected = f"{lab}.ipynb"
    if expected in names:
        return read_entry(folder, expected, limit), ()
    fitting = _fitting(assignment, folder, names)
    if len(fitting) == 1:
        note = f"Handed in as {readable(fitting[0])}; {expected} was expected, and its cells are those of {lab}."
        return read_entry(folder, fitting[0], limit), (note,)
    archives = [name for name in names if is_archive(name)]
    if not fitting and len(archives) == 1:
        inside, content = notebook_in(read_entry(folder, archives[0], limit), archives[0], expected, limit)
        return content, (f"Taken out of {readable(archives[0])}, where it is called {readable(inside)}.",)
    found = ", ".join(readable(name) for name in names[:5]) or "nothing"
    what = "no notebook of this lab" if not fitting and not archives else "several things that could be meant"
    raise Rejected(Status.MALFORMED, f"There is {what} in what was handed in ({found}). Hand in {expected}.")


def _fitting(assignment: Assignment, folder: int, names: list[str]) -> list[str]:
    """The notebooks of the lab among the files, whatever they are called."""
    notebooks = [name for name in names if name.endswith(".ipynb")]
    if len(notebooks) > MOST_NOTEBOOKS:
        return notebooks
    return [name for name in notebooks if _is_of(assignment, folder, name)]


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
