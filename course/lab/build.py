"""From a lab's source to its notebooks: nbgrader's source notebook, the release for interns, the solution."""

import copy
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearHiddenTests,
    ClearMarkScheme,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    LockCells,
)

from course.lab.cells import TAGGED_ROLES, Cell, Role
from course.lab.scan import require_no_leak
from course.lab.source import Lab
from course.storage import write_atomic

SCHEMA_VERSION = 3
# The steps of nbgrader's GenerateAssignment that change a notebook, in its order.
RELEASE_STEPS = (
    LockCells,
    ClearSolutions,
    ClearOutput,
    CheckCellMetadata,
    ComputeChecksums,
    ClearHiddenTests,
    ClearMarkScheme,
    ComputeChecksums,
    CheckCellMetadata,
)
SOLUTION_STEPS = (LockCells, ClearHiddenTests, ClearMarkScheme, ComputeChecksums, CheckCellMetadata)


def source_notebook(lab: Lab) -> NotebookNode:
    """nbgrader's source notebook: solutions and full nbgrader metadata; cells for the instructor are left out.

    ``nbgrader generate_assignment`` makes the same release of it as :func:`release_notebook`.
    """
    return _notebook(lab, [cell for cell in lab.cells if cell.role is not Role.INSTRUCTOR])


def release_notebook(lab: Lab) -> NotebookNode:
    """What interns get: solutions replaced by a stub, nothing hidden left, checksums computed.

    Raises:
        CourseError: the leak scan found hidden material in the release.
    """
    release = _stepped(source_notebook(lab), RELEASE_STEPS)
    require_no_leak(lab, release)
    return release


def solution_notebook(lab: Lab) -> NotebookNode:
    """The reference: the release's cells with solutions and sample answers, and the cells for the instructor."""
    return _stepped(_notebook(lab, lab.cells), SOLUTION_STEPS)


def write_notebook(notebook: NotebookNode, path: Path) -> None:
    """Write a notebook; the same notebook gives the same bytes."""
    nbformat.validate(notebook)
    write_atomic(path, nbformat.writes(notebook, version=nbformat.NO_CONVERT) + "\n")


def _notebook(lab: Lab, cells: list[Cell]) -> NotebookNode:
    notebook = nbformat.v4.new_notebook(
        cells=[_node(cell) for cell in cells],
        metadata={
            "course": {"lab": lab.id, "title": lab.title},
            "kernelspec": dict(lab.notebook.metadata.kernelspec),
            "language_info": {"name": "python"},
        },
    )
    nbformat.validate(notebook)
    return notebook


def _node(cell: Cell) -> NotebookNode:
    new = nbformat.v4.new_code_cell if cell.cell_type == "code" else nbformat.v4.new_markdown_cell
    return new(cell.source, id=cell.id, metadata=_metadata(cell))


def _metadata(cell: Cell) -> dict:
    metadata = {}
    tags = [cell.role.value] if cell.role in TAGGED_ROLES.values() else []
    tags += [tag for tag in cell.tags if tag not in tags]
    if cell.role is Role.FALLBACK:
        tags += [tag for tag in ("hide-input",) if tag not in tags]
    if "hide-input" in tags:
        # The site knows the tag, JupyterLab only its own key.
        metadata["jupyter"] = {"source_hidden": True}
    if tags:
        metadata["tags"] = tags
    if cell.role not in (Role.TEXT, Role.INSTRUCTOR):
        metadata["nbgrader"] = _nbgrader_metadata(cell)
    return metadata


def _nbgrader_metadata(cell: Cell) -> dict:
    """nbgrader's metadata, schema 3: solution cells stay open to the intern, every other one is locked."""
    solution = cell.role in (Role.SOLUTION, Role.MANUAL)
    metadata = {
        "schema_version": SCHEMA_VERSION,
        "grade_id": cell.id,
        "grade": cell.role in (Role.CHECK, Role.MANUAL),
        "solution": solution,
        "locked": not solution,
        "task": False,
    }
    if metadata["grade"]:
        metadata["points"] = cell.points
    return metadata


def _stepped(notebook: NotebookNode, steps: tuple[type, ...]) -> NotebookNode:
    stepped, resources = copy.deepcopy(notebook), {}
    for step in steps:
        stepped, resources = step().preprocess(stepped, resources)
    return stepped
