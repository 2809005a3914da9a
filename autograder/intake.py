"""Reading a submission that one does not trust, and making of it the notebook that is graded.

The bytes are read without following a link. The notebook is rebuilt cell by cell: what the student may write is taken
from the submission, what is locked (set-up, checks, points) from the release, and nothing else is kept.
"""

import copy
import hashlib
import json
import os
import stat
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from pydantic import BaseModel, Field, ValidationError, field_validator

from autograder.policy import MIB
from autograder.result import Status
from autograder.session import Cell
from course.errors import CourseError
from course.lab.cells import Role
from course.lab.source import Lab
from course.storage import write_atomic

NO_NOTEBOOK = "The file is not a Jupyter notebook. Hand in the .ipynb file that JupyterLab saves."
NAMES_LISTED = 5
LONGEST_NAME = 80
MOST_CELLS = 5000
# A character takes up to twelve bytes in a frame of the protocol, which holds four MiB.
LONGEST_SOURCE = 300_000
EXECUTED = (Role.SETUP, Role.SOLUTION, None)


class Rejected(Exception):
    """The submission is not graded; carries the status and the sentence that its author reads."""

    def __init__(self, status: Status, sentence: str):
        self.status, self.sentence = status, sentence
        super().__init__(sentence)


class SubmittedCell(BaseModel):
    """A cell as it was handed in; unknown fields are dropped."""

    cell_type: Literal["code", "markdown", "raw"]
    source: str
    id: str = ""
    metadata: dict[str, Any] = Field(default_factory=dict)

    @field_validator("source", mode="before")
    @classmethod
    def _joined(cls, source: Any) -> Any:
        """Text, which a notebook may store as a list of lines; what UTF-8 cannot hold becomes a question mark."""
        if isinstance(source, list) and all(isinstance(line, str) for line in source):
            source = "".join(source)
        return source.encode(errors="replace").decode() if isinstance(source, str) else source

    @property
    def name(self) -> str:
        """The id that the release gave the cell, as far as the submission still says so."""
        nbgrader = self.metadata.get("nbgrader")
        grade_id = nbgrader.get("grade_id") if isinstance(nbgrader, dict) else None
        return grade_id if isinstance(grade_id, str) else self.id


class SubmittedNotebook(BaseModel):
    """A notebook as it was handed in; unknown fields are dropped."""

    nbformat: int
    cells: list[SubmittedCell]
    metadata: dict[str, Any] = Field(default_factory=dict)

    @property
    def lab(self) -> str | None:
        """The id of the lab that the notebook says it is of."""
        named = self.metadata.get("course")
        return named.get("lab") if isinstance(named, dict) and isinstance(named.get("lab"), str) else None


@dataclass(frozen=True)
class Original:
    """A cell of the release; ``points`` is None where nothing is graded."""

    id: str
    role: Role
    cell_type: str
    source: str
    points: int | None


@dataclass(frozen=True)
class KeptCell:
    """A cell of the notebook that is graded.

    ``role`` is the lab's; None marks a cell that the student added. ``id`` is unique, ``label`` what feedback calls it.
    """

    id: str
    label: str
    role: Role | None
    cell_type: str
    source: str


@dataclass(frozen=True)
class Submission:
    """A submission made fit for grading: its cells in order, and sentences on what was missing, changed or double."""

    cells: tuple[KeptCell, ...]
    notes: tuple[str, ...]

    @property
    def code(self) -> list[Cell]:
        """The cells to execute: set-up, solutions, and code of the student's own."""
        kept = (cell for cell in self.cells if cell.cell_type == "code" and cell.role in EXECUTED)
        return [Cell(cell.id, cell.label, cell.source) for cell in kept]

    def source(self, cell_id: str) -> str | None:
        """The source of a cell, None if there is no such cell."""
        return next((cell.source for cell in self.cells if cell.id == cell_id), None)


def readable(name: str) -> str:
    """A name that somebody else chose, cut to what a sentence can hold; a question mark for what cannot be shown."""
    return "".join(letter if letter.isprintable() else "?" for letter in name[:LONGEST_NAME])


def read_bytes(path: Path, limit: int) -> bytes:
    """The bytes of a regular file that is no link and not too large.

    Raises:
        Rejected: refused, with the reason.
        CourseError: there is no such file, or it may not be read.
    """
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise CourseError(f"{path}: the file cannot be opened ({error.strerror}); check the path.") from error
    try:
        return read_entry(folder, path.name, limit)
    except FileNotFoundError as error:
        raise CourseError(f"{path}: there is no such file; check the path.") from error
    finally:
        os.close(folder)


def read_entry(folder: int, name: str, limit: int) -> bytes:
    """The bytes of the file ``name`` in an open folder.

    Raises:
        Rejected: refused, with the reason.
        FileNotFoundError: there is no such file.
    """
    _require_plain(name, os.stat(name, dir_fd=folder, follow_symlinks=False), limit)
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError as error:
        raise Rejected(Status.REFUSED, f"The file {readable(name)} cannot be opened ({error.strerror}).") from error
    with os.fdopen(descriptor, "rb") as file:
        # Looked at again, because the name may have got another file in between.
        _require_plain(name, os.fstat(descriptor), limit)
        content = file.read(limit + 1)
    if len(content) > limit:
        raise Rejected(Status.REFUSED, _too_large(name, len(content), limit))
    return content


def store(content: bytes, folder: Path) -> str:
    """Keep the bytes of a submission under their SHA-256, never to be changed; return it."""
    name = hashlib.sha256(content).hexdigest()
    path = folder / f"{name}.ipynb"
    # After a power cut a file may be there and not whole.
    if not path.is_file() or path.read_bytes() != content:
        write_atomic(path, content, mode=0o444)
    return name


def parse(content: bytes) -> SubmittedNotebook:
    """The notebook in the bytes.

    Raises:
        Rejected: malformed, with what is wrong.
    """
    if not content.strip():
        raise Rejected(Status.MALFORMED, "The file is empty. Save the notebook in JupyterLab and hand it in again.")
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Rejected(Status.MALFORMED, NO_NOTEBOOK) from error
    version = document.get("nbformat") if isinstance(document, dict) else None
    if isinstance(version, int) and version != 4:
        raise Rejected(
            Status.MALFORMED,
            f"The notebook is in format {str(version)[:9]}; format 4 was expected. "
            "Open it in JupyterLab and save it again.",
        )
    if isinstance(document, dict) and isinstance(document.get("cells"), list) and len(document["cells"]) > MOST_CELLS:
        raise Rejected(
            Status.MALFORMED,
            f"The notebook has {len(document['cells'])} cells; at most {MOST_CELLS} are accepted. Delete those of "
            "your own that the tasks do not need, save, and hand it in again.",
        )
    try:
        notebook = SubmittedNotebook.model_validate(document)
    except (ValidationError, RecursionError) as error:
        raise Rejected(Status.MALFORMED, NO_NOTEBOOK) from error
    _require_short_sources(notebook)
    return notebook


def originals(lab: Lab, release: NotebookNode) -> dict[str, Original]:
    """The cells of a lab's release by id."""
    nodes = {node.id: node for node in release.cells}
    return {
        cell.id: Original(cell.id, cell.role, cell.cell_type, nodes[cell.id].source, cell.points)
        for cell in lab.cells
        if cell.id in nodes
    }


def canonical(notebook: SubmittedNotebook, lab_id: str, released: Mapping[str, Original]) -> Submission:
    """The submission made fit for grading.

    Raises:
        Rejected: the notebook is of another lab, or has no cell of this one.
    """
    _require_lab(notebook, lab_id, released)
    kept, seen = [], Counter()
    for number, cell in enumerate(notebook.cells, start=1):
        original = released.get(cell.name)
        if original is None:
            kept.append(_own_cell(number, cell))
            continue
        seen[original.id] += 1
        if seen[original.id] == 1 or original.role is Role.SOLUTION:
            cell_id = original.id if seen[original.id] == 1 else f"again-{number}"
            kept.append(_known_cell(original, cell, cell_id))
    notes = _notes(notebook, released, seen)
    return Submission(tuple(_completed(kept, list(released.values()))), tuple(notes))


def graded_notebook(submission: Submission, release: NotebookNode) -> NotebookNode:
    """The submission as nbgrader's autograded notebook: locked cells as released, the student's text, no outputs."""
    nodes = {node.id: node for node in release.cells}
    cells = []
    for cell in submission.cells:
        new = new_code_cell if cell.cell_type == "code" else new_markdown_cell
        metadata = copy.deepcopy(nodes[cell.id].metadata) if cell.id in nodes else {}
        cells.append(new(cell.source, id=cell.id, metadata=metadata))
    return new_notebook(cells=cells, metadata=copy.deepcopy(release.metadata))


def _require_short_sources(notebook: SubmittedNotebook) -> None:
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type == "code" and len(cell.source) > LONGEST_SOURCE:
            raise Rejected(
                Status.MALFORMED,
                f"Cell {number} holds {len(cell.source)} characters of code; at most {LONGEST_SOURCE} are accepted. "
                "Take out what is data and not code, save, and hand it in again.",
            )


def _require_plain(name: str, found: os.stat_result, limit: int) -> None:
    if stat.S_ISLNK(found.st_mode) or found.st_nlink > 1 and stat.S_ISREG(found.st_mode):
        raise Rejected(
            Status.REFUSED, f"The file {readable(name)} is a link to another file. Hand in the notebook itself."
        )
    if not stat.S_ISREG(found.st_mode):
        raise Rejected(
            Status.REFUSED, f"What is called {readable(name)} is a folder, a pipe or a device. Hand in the notebook."
        )
    if found.st_size > limit:
        raise Rejected(Status.REFUSED, _too_large(name, found.st_size, limit))


def _too_large(name: str, size: int, limit: int) -> str:
    return (
        f"The file {readable(name)} has {size / MIB:.1f} MiB; at most {limit / MIB:.1f} MiB are accepted. "
        "Clear the outputs (Edit, Clear Outputs of All Cells), save, and hand it in again."
    )


def _require_lab(notebook: SubmittedNotebook, lab_id: str, released: Mapping[str, Original]) -> None:
    if notebook.lab not in (None, lab_id):
        raise Rejected(
            Status.REFUSED,
            f"This is the notebook of {readable(notebook.lab)}, handed in for {lab_id}. Hand it in for its lab.",
        )
    graded = {cell.id for cell in released.values() if cell.role in (Role.SOLUTION, Role.CHECK, Role.MANUAL)}
    if not graded & {cell.name for cell in notebook.cells}:
        raise Rejected(
            Status.MALFORMED,
            f"The notebook has none of the cells of {lab_id}. Start from the released notebook and keep its cells.",
        )


def _own_cell(number: int, cell: SubmittedCell) -> KeptCell:
    cell_type = "code" if cell.cell_type == "code" else "markdown"
    return KeptCell(f"own-{number}", f"cell {number} of your notebook", None, cell_type, cell.source)


def _known_cell(original: Original, cell: SubmittedCell, cell_id: str) -> KeptCell:
    """A cell of the lab: as released if it is locked, with the student's text where there is room for it."""
    if original.role not in (Role.SOLUTION, Role.MANUAL):
        return _released(original)
    return KeptCell(cell_id, f"cell {original.id}", original.role, cell.cell_type, cell.source)


def _released(original: Original) -> KeptCell:
    return KeptCell(original.id, f"cell {original.id}", original.role, original.cell_type, original.source)


def _completed(kept: list[KeptCell], released: list[Original]) -> list[KeptCell]:
    """The cells with each locked cell that is missing put back behind the one that it followed."""
    places = {cell.id for cell in kept}
    for before, original in zip([None, *released], released, strict=False):
        if original.id in places or original.role in (Role.SOLUTION, Role.MANUAL):
            continue
        index = next((place + 1 for place, cell in enumerate(kept) if before and cell.id == before.id), 0)
        kept.insert(index, _released(original))
    return kept


def _notes(notebook: SubmittedNotebook, released: Mapping[str, Original], seen: Counter) -> Iterator[str]:
    missing = [cell for cell in released.values() if not seen[cell.id]]
    changed = [cell.name for cell in notebook.cells if _changed(cell, released.get(cell.name))]
    unknown = [cell.name for cell in notebook.cells if "nbgrader" in cell.metadata and cell.name not in released]
    unsolved = [cell.id for cell in missing if cell.role in (Role.SOLUTION, Role.MANUAL)]
    restored = [cell.id for cell in missing if cell.role in (Role.SETUP, Role.CHECK)]
    double = [name for name, count in seen.items() if count > 1]
    for names, sentence in (
        (unsolved, "Missing, and so unsolved unless another cell has it: {}."),
        (restored, "Missing, and put back from the release: {}."),
        (changed, "Locked, but changed; the released cell was used: {}."),
        (double, "In the notebook more than once: {}."),
        (unknown, "Not a cell of this lab, and run as one of your own: {}."),
    ):
        if names:
            yield sentence.format(_listed(list(dict.fromkeys(names))))


def _listed(names: list[str]) -> str:
    shown = ", ".join(readable(name) for name in names[:NAMES_LISTED])
    return shown if len(names) <= NAMES_LISTED else f"{shown} and {len(names) - NAMES_LISTED} more"


def _changed(cell: SubmittedCell, original: Original | None) -> bool:
    """Whether a locked cell, or the points of a graded one, differ from the release."""
    if original is None or original.role is Role.TEXT:
        return False
    nbgrader = cell.metadata.get("nbgrader")
    points = nbgrader.get("points", original.points) if isinstance(nbgrader, dict) else original.points
    if original.role in (Role.SOLUTION, Role.MANUAL):
        return points != original.points
    return points != original.points or cell.source.strip() != original.source.strip()
