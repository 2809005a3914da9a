"""The leak scan: nothing of a lab that an intern must not see is in its release.

Secret are the solution regions, the cells for the instructor, the hidden checks with their hints, the wrong
solutions and the instructor's page. The release is searched as the JSON that is handed out: sources, outputs,
metadata and attachments. A secret line that the lab shows anyway, such as ``import numpy as np``, is no leak; but a
cell that shows half or more of a solution's lines is one, whoever wrote it.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from nbformat import NotebookNode

from course.errors import CourseError, shown
from course.lab.cells import Cell, Role
from course.lab.markers import BEGIN, END, solution_regions, with_stub
from course.lab.source import Lab

MARKERS = (BEGIN, END, "BEGIN HIDDEN TESTS", "END HIDDEN TESTS", "BEGIN MARK SCHEME", "END MARK SCHEME")
NOTEBOOK_KEYS = {"course", "kernelspec", "language_info"}
CELL_KEYS = {"nbgrader", "tags", "jupyter", "deletable", "editable"}
# Characters without spaces: a shorter line, such as `else:` or `x += 1`, says nothing about a solution.
SHORTEST_SECRET = 8


@dataclass(frozen=True)
class Leak:
    """Hidden material in a release: ``where`` in the notebook, ``what`` it is and the file and line it comes from."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass(frozen=True)
class Secret:
    """A passage that must not be released: what it is, where it stands, and its telling lines, normalised."""

    what: str
    path: Path
    line: int
    lines: tuple[str, ...]
    is_solution: bool = False

    def __str__(self) -> str:
        return f"{self.what} ({shown(self.path)}:{self.line})"


def require_no_leak(lab: Lab, release: NotebookNode) -> None:
    """Raise CourseError, with every leak on a line of its own, if hidden material of the lab is in the release."""
    leaks = find_leaks(lab, release)
    if leaks:
        listed = "\n".join(f"  {leak}" for leak in leaks)
        raise CourseError(f"The release of {lab.id} shows hidden material; take it out of the source:\n{listed}")


def find_leaks(lab: Lab, release: NotebookNode) -> list[Leak]:
    """Every place of the release that shows something hidden, in the order of the cells."""
    secrets, public = list(_secrets(lab)), _public_text(lab)
    leaks = list(_unexpected_parts(release))
    for where, text in _texts(release):
        lines = "\n".join(_normalised(text))
        leaks += [Leak(where, f"the marker {marker}") for marker in MARKERS if marker in text]
        leaks += [Leak(where, str(secret)) for secret in secrets if _shows(secret, lines, public)]
    return leaks


def _shows(secret: Secret, text: str, public: str) -> bool:
    found = [line for line in secret.lines if line in text]
    much = secret.is_solution and bool(found) and 2 * len(found) >= len(secret.lines)
    return much or any(line not in public for line in found)


def _unexpected_parts(release: NotebookNode) -> Iterator[Leak]:
    """Outputs, attachments, counts, metadata and tags that no release has."""
    for key in sorted(release.metadata.keys() - NOTEBOOK_KEYS):
        yield Leak("the notebook's metadata", f"the unexpected key {key}")
    for cell in release.cells:
        where = f"cell {cell.id}"
        if cell.get("outputs"):
            yield Leak(where, "outputs")
        if cell.get("execution_count") is not None:
            yield Leak(where, "an execution count")
        if cell.get("attachments"):
            yield Leak(where, f"attachments: {', '.join(cell.attachments)}")
        for key in sorted(cell.metadata.keys() - CELL_KEYS):
            yield Leak(where, f"the unexpected metadata key {key}")
        if Role.INSTRUCTOR.value in cell.metadata.get("tags", []):
            yield Leak(where, "a cell for the instructor")


def _texts(release: NotebookNode) -> Iterator[tuple[str, str]]:
    """Every text in the notebook with its place."""
    yield from (("the notebook's metadata", text) for text in _strings(release.metadata))
    for cell in release.cells:
        yield f"cell {cell.id}", cell.source
        rest = {key: value for key, value in cell.items() if key != "source"}
        yield from ((f"cell {cell.id}, outside its source", text) for text in _strings(rest))


def _strings(value) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


def _secrets(lab: Lab) -> Iterator[Secret]:
    for cell in lab.cells:
        yield from _cell_secrets(lab.path, cell)
    yield from _file_secrets(lab.checks.path, "a line of the hidden checks")
    yield from _file_secrets(lab.folder / "instructor.md", "a line of the instructor's page")
    for one in (check for checks in lab.checks.by_task.values() for check in checks):
        yield _secret(f"the hint of the hidden check {one.name}", lab.checks.path, one.line, [one.hint])
    for wrong in lab.wrong:
        yield _secret("the mistake of a wrong solution", wrong.path, 1, [wrong.mistake])
        yield _secret("the mark of a wrong solution", wrong.path, wrong.line, [f"# fails: {wrong.fails}"])


def _cell_secrets(path: Path, cell: Cell) -> Iterator[Secret]:
    lines = cell.source.split("\n")
    if cell.role is Role.INSTRUCTOR:
        for number, line in enumerate(lines):
            yield _secret("a line for the instructor", path, cell.body + number, [line])
    elif cell.role in (Role.SOLUTION, Role.MANUAL):
        for begin, end in solution_regions(cell.source):
            hidden = _secret(f"the solution of {cell.id}", path, cell.body + begin, lines[begin:end])
            yield replace(hidden, is_solution=True)


def _file_secrets(path: Path, what: str) -> Iterator[Secret]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        yield _secret(what, path, number, [line])


def _secret(what: str, path: Path, line: int, lines: Iterable[str]) -> Secret:
    telling = [text for text in _normalised("\n".join(lines)) if _is_telling(text)]
    return Secret(what, path, line, tuple(telling))


def _is_telling(line: str) -> bool:
    return len(line.replace(" ", "")) >= SHORTEST_SECRET and bool(re.search(r"\w{2}", line))


def _public_text(lab: Lab) -> str:
    """All that the author shows: every cell but the instructor's, without its solution regions."""
    shown_cells = [with_stub(cell.source) for cell in lab.cells if cell.role is not Role.INSTRUCTOR]
    header = [lab.id, lab.title, *(cell.id for cell in lab.cells)]
    return "\n".join(_normalised("\n".join(shown_cells + header)))


def _normalised(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.split("\n")]
