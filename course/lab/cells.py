"""The cells of a lab's source, ``lab.md``: a MyST text notebook in which each cell has one role.

A cell's tags and its short nbgrader options say which. Every cell keeps the line that it begins on.
"""

import ast
import re
from collections import Counter
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from jupytext.myst import MystMetadataParsingError, myst_to_notebook
from nbformat import NotebookNode
from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, StringConstraints, ValidationError

from course.errors import CourseError, SourceError


class Role(StrEnum):
    """What a cell is for; a code cell without a role is an error, markdown without one is text."""

    TEXT = "text"
    SETUP = "setup"
    SOLUTION = "solution"
    CHECK = "check"
    FALLBACK = "fallback"
    DEMO = "demo"
    MANUAL = "manual"
    INSTRUCTOR = "instructor"


TAGGED_ROLES = {role.value: role for role in (Role.SETUP, Role.FALLBACK, Role.DEMO, Role.INSTRUCTOR)}
Tag = Literal["setup", "fallback", "demo", "instructor", "hide-input", "hide-output", "remove-input", "remove-output"]
GradeId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Header(_Strict):
    """The ``lab:`` part of the front matter; ``limits`` are those of grading that differ from the autograder's own."""

    title: Annotated[str, StringConstraints(min_length=1)]
    lecture: Annotated[str, StringConstraints(pattern=r"^\d\d-[a-z0-9-]+$")]
    hours: Annotated[PositiveFloat, Field(strict=False)]
    points: PositiveInt
    without: list[str]
    limits: dict[str, PositiveInt | PositiveFloat] = {}


class FrontMatter(_Strict):
    """The front matter of ``lab.md``; jupytext and the kernel have their own keys in it."""

    jupytext: dict[str, Any]
    kernelspec: dict[str, Any]
    lab: Header


class NbgraderOptions(_Strict):
    """The short form of nbgrader's metadata that an author writes; the builder fills in the rest."""

    grade_id: GradeId
    grade: bool = False
    solution: bool = False
    points: PositiveInt | None = None


class CellOptions(_Strict):
    """Everything that a cell of ``lab.md`` may carry."""

    nbgrader: NbgraderOptions | None = None
    tags: list[Tag] = []


@dataclass(frozen=True)
class Cell:
    """One cell of ``lab.md``.

    ``id`` is the cell's id in every notebook built from it: the grade_id of a graded cell, ``fallback-<task>``, else
    the role and a number. ``line`` is where the cell begins (its fence, or its first line of text), ``body`` the line
    of its first line of source; both count from 1.
    """

    id: str
    role: Role
    cell_type: str
    source: str
    line: int
    body: int
    grade_id: str | None
    points: int | None
    tags: tuple[str, ...]

    @cached_property
    def tree(self) -> ast.Module:
        """The code's syntax tree; its line numbers count from the cell's first line of source."""
        return ast.parse(self.source)

    @property
    def stands_in_for(self) -> str | None:
        """The task that a fallback cell stands in for; None if the cell does not have a fallback's form."""
        match self.tree.body:
            case [
                ast.If(
                    test=ast.UnaryOp(
                        op=ast.Not(), operand=ast.Call(func=ast.Name(id="solved"), args=[ast.Constant(value=str(task))])
                    ),
                    body=body,
                )
            ] if any(isinstance(node, ast.FunctionDef) and node.name == task for node in body):
                return task
        return None


def parse(path: Path, text: str) -> NotebookNode:
    """The notebook that the text spells, with jupytext's ``source_map`` in its metadata.

    Raises:
        SourceError: there is no front matter, or a cell's YAML or JSON is not valid.
    """
    if not text.startswith("---\n"):
        raise SourceError(path, 1, "The front matter is missing; begin the file with a block between two lines `---`.")
    try:
        return myst_to_notebook(text, add_source_map=True)
    except (MystMetadataParsingError, yaml.YAMLError) as error:
        found = re.search(r"at line (\d+)", str(error))
        reason = " ".join(str(error).split())
        raise SourceError(
            path, int(found[1]) if found else 1, f"The YAML or JSON here is not valid: {reason}"
        ) from error


def read_header(path: Path, text: str, notebook: NotebookNode) -> Header:
    """The ``lab:`` part of the front matter.

    Raises:
        SourceError: a key is missing, unknown or has a value of the wrong kind.
    """
    # jupytext adds the keys `source_map` and, for the cells' language, `jupyter`.
    written = {key: value for key, value in notebook.metadata.items() if key not in ("source_map", "jupyter")}
    try:
        return FrontMatter.model_validate(written).lab
    except ValidationError as error:
        first = error.errors()[0]
        model = Header if len(first["loc"]) > 1 else FrontMatter
        line = front_matter_line(text, *map(str, first["loc"]))
        raise SourceError(path, line, f"Front matter, {_told(first, model)}") from error


def front_matter_line(text: str, *keys: str) -> int:
    """The line of a key of the front matter, such as ``lab``, ``points``; of the key above it if it is missing."""
    line, node = 1, yaml.compose(text.split("\n---", 1)[0])
    for wanted in keys:
        found = [pair for pair in getattr(node, "value", ()) if isinstance(pair, tuple) and pair[0].value == wanted]
        if not found:
            break
        line, node = found[0][0].start_mark.line + 1, found[0][1]
    return line


def _told(problem: dict, model: type[BaseModel]) -> str:
    """A sentence for one of pydantic's problems."""
    place = ".".join(map(str, problem["loc"]))
    if problem["type"] == "extra_forbidden":
        return f"{place}: this key is unknown; the keys are {', '.join(model.model_fields)}."
    if problem["type"] == "missing":
        return f"{place}: this key is missing; add it."
    return f"{place}: {problem['msg']}, but it is {str(problem['input'])[:80]!r}."


def read_cells(path: Path, text: str, notebook: NotebookNode) -> list[Cell]:
    """The cells of a parsed ``lab.md``, each with its role and its lines.

    Raises:
        SourceError: a cell has an unknown option, no role or several, or is no Python.
    """
    lines = text.splitlines()
    starts = notebook.metadata.source_map
    if len(starts) != len(notebook.cells):
        raise CourseError(f"jupytext mapped {len(starts)} lines to {len(notebook.cells)} cells of {path}.")
    cells = [_cell(path, lines, node, start) for node, start in zip(notebook.cells, starts, strict=True)]
    for cell in cells:
        if cell.cell_type == "code":
            _require_python(path, cell)
    return _with_ids(path, cells)


def _with_ids(path: Path, cells: list[Cell]) -> list[Cell]:
    named, numbers, lines = [], Counter(), {}
    for cell in cells:
        numbers[cell.role] += 1
        name = cell.grade_id or f"{cell.role}-{numbers[cell.role]}"
        if cell.role is Role.FALLBACK:
            name = f"fallback-{cell.stands_in_for}"
        if name in lines:
            raise SourceError(
                path, cell.line, f"The cell id {name} is taken by the cell in line {lines[name]}; give each its own."
            )
        lines[name] = cell.line
        named.append(replace(cell, id=name))
    return named


def _require_python(path: Path, cell: Cell) -> None:
    try:
        _ = cell.tree
    except SyntaxError as error:
        line = cell.body + (error.lineno or 1) - 1
        raise SourceError(path, line, f"The cell is no Python ({error.msg}); magics are not available.") from error


def _cell(path: Path, lines: list[str], node: NotebookNode, start: int) -> Cell:
    body = _first_line(lines, node.source.split("\n"), start)
    line = start if node.cell_type == "code" else body
    options = _options(path, line, node)
    given = options.nbgrader
    return Cell(
        id="",
        role=_role(path, line, node.cell_type, options),
        cell_type=node.cell_type,
        source=node.source,
        line=line,
        body=body,
        grade_id=given.grade_id if given else None,
        points=given.points if given else None,
        tags=tuple(options.tags),
    )


def _first_line(lines: list[str], source: list[str], start: int) -> int:
    """The line, counted from 1, where ``source`` begins, at or after the line of index ``start``."""
    for index in range(max(start - 1, 0), len(lines)):
        if [line.rstrip() for line in lines[index : index + len(source)]] == [line.rstrip() for line in source]:
            return index + 1
    return start + 1


def _options(path: Path, line: int, node: NotebookNode) -> CellOptions:
    try:
        return CellOptions.model_validate(node.metadata)
    except ValidationError as error:
        first = error.errors()[0]
        model = NbgraderOptions if first["loc"][0] == "nbgrader" and len(first["loc"]) > 1 else CellOptions
        raise SourceError(path, line, f"Cell option {_told(first, model)}") from error


def _role(path: Path, line: int, cell_type: str, options: CellOptions) -> Role:
    roles = [TAGGED_ROLES[tag] for tag in options.tags if tag in TAGGED_ROLES]
    if options.nbgrader:
        roles.append(_graded_role(path, line, cell_type, options.nbgrader))
    if len(roles) > 1:
        raise SourceError(path, line, f"The cell has the roles {' and '.join(roles)}; give it one.")
    if cell_type == "raw":
        raise SourceError(path, line, "A lab has no raw cells; make this one markdown or code.")
    if roles:
        return roles[0]
    if cell_type == "markdown":
        return Role.TEXT
    raise SourceError(
        path, line, f"The code cell has no role; tag it {', '.join(TAGGED_ROLES)}, or give it nbgrader options."
    )


def _graded_role(path: Path, line: int, cell_type: str, given: NbgraderOptions) -> Role:
    role = {
        ("code", False, True): Role.SOLUTION,
        ("code", True, False): Role.CHECK,
        ("markdown", True, True): Role.MANUAL,
    }.get((cell_type, given.grade, given.solution))
    if role is None:
        raise SourceError(
            path,
            line,
            f"{given.grade_id} has nbgrader options that make no role: a code cell has `solution: true` or "
            "`grade: true`, a markdown cell to be graded by a person has both.",
        )
    return role
