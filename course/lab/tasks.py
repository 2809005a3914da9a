"""The tasks of a lab, put together from its cells: solution, visible check and fallback, each where it has to be."""

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from course.errors import SourceError
from course.lab.cells import Cell, Role
from course.lab.markers import BEGIN, END, STUB, solution_regions, with_stub
from course.lab.names import bound_by, imports, imports_any, names_used
from course.lab.prose import count_words, last_heading

LONGEST_STATEMENT = 120


@dataclass(frozen=True)
class Task:
    """A graded part of a lab: a function with hidden checks, or a question that a person grades.

    For the question ``function``, ``check_cell_id`` and ``fallback_cell_id`` are None. ``line`` is the solution cell's.
    """

    id: str
    points: int
    title: str
    function: str | None
    solution_cell_id: str
    check_cell_id: str | None
    fallback_cell_id: str | None
    line: int


def read_tasks(path: Path, cells: list[Cell], without: list[str]) -> tuple[list[Task], list[Task]]:
    """The automatically graded tasks and the manually graded questions of a lab.

    Args:
        path: the lab's ``lab.md``, for messages.
        cells: all cells of the lab.
        without: packages that the grading sandbox does not have.

    Raises:
        SourceError: a cell breaks a rule of AUTHORING.md or of nbgrader.
    """
    absent = _absent_when_graded(cells, without)
    for cell in cells:
        _require_markers_in_solutions(path, cell)
        if cell.role in (Role.SETUP, Role.SOLUTION):
            _forbid_imports(path, cell, without)
        if cell.role is Role.FALLBACK:
            _require_fallback_form(path, cell, without, absent)
    _require_known_targets(path, cells)
    automatic = [_task(path, cells, index) for index, cell in enumerate(cells) if cell.role is Role.SOLUTION]
    manual = [_question(path, cells, index) for index, cell in enumerate(cells) if cell.role is Role.MANUAL]
    return automatic, manual


def _require_markers_in_solutions(path: Path, cell: Cell) -> None:
    markers = [number for number, line in enumerate(cell.source.split("\n")) if BEGIN in line or END in line]
    if markers and cell.role not in (Role.SOLUTION, Role.MANUAL, Role.INSTRUCTOR):
        raise SourceError(path, cell.body + markers[0], f"Solution markers have no place in a {cell.role} cell.")


def _forbid_imports(path: Path, cell: Cell, without: list[str]) -> None:
    for package, line in imports(cell.tree):
        if package in without:
            raise SourceError(
                path,
                cell.body + line - 1,
                f"{package} is in `without`: it does not exist where labs are graded, and this {cell.role} cell runs "
                "there. Import it in the demo or fallback cell that needs it.",
            )


def _absent_when_graded(cells: list[Cell], without: list[str]) -> set[str]:
    """The functions and packages of demo cells that use packages in ``without``; grading has neither."""
    absent = set()
    for cell in cells:
        if cell.role is Role.DEMO and (imports_any(cell.tree, without) or names_used(cell.tree) & absent):
            absent |= {name for node in cell.tree.body for name in bound_by(node)}
    return absent


def _require_fallback_form(path: Path, cell: Cell, without: list[str], absent: set[str]) -> None:
    task = cell.stands_in_for
    if task is None:
        raise SourceError(
            path,
            cell.body,
            'A fallback cell is one statement `if not solved("task"):` that defines the task\'s function.',
        )
    if not imports_any(cell.tree, without) and not names_used(cell.tree) & absent:
        raise SourceError(
            path,
            cell.body,
            f"The fallback of {task} earns its points when copied; build it on a package in `without` "
            f"({', '.join(without) or 'which is empty'}), which does not exist where labs are graded.",
        )


def _checked_by(cell: Cell) -> list[str]:
    """The tasks named by the ``with check("task"):`` statements of a check cell."""
    calls = [item.context_expr for node in ast.walk(cell.tree) if isinstance(node, ast.With) for item in node.items]
    return [
        call.args[0].value
        for call in calls
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "check"
        if len(call.args) == 1 and isinstance(call.args[0], ast.Constant)
    ]


def _task(path: Path, cells: list[Cell], index: int) -> Task:
    solution = cells[index]
    task_id = solution.grade_id
    _require_solution_form(path, solution)
    check = _check_of(path, cells, index)
    _require_check_form(path, check)
    heading, statement = _statement(path, cells, index)
    if (words := count_words(statement)) > LONGEST_STATEMENT:
        raise SourceError(
            path,
            heading.line,
            f"The statement of {task_id} has {words} words; {LONGEST_STATEMENT} are allowed. "
            "Cut it, or move what is not needed to begin below the task.",
        )
    fallback = _fallback_for(path, cells, cells.index(check), task_id)
    return Task(
        id=task_id,
        points=check.points,
        title=last_heading(heading.source),
        function=task_id,
        solution_cell_id=solution.grade_id,
        check_cell_id=check.grade_id,
        fallback_cell_id=fallback.id if fallback else None,
        line=solution.line,
    )


def _require_solution_form(path: Path, cell: Cell) -> None:
    task_id = cell.grade_id
    if cell.points is not None:
        raise SourceError(path, cell.line, f"The solution cell {task_id} has points; they belong to its check cell.")
    try:
        regions = solution_regions(cell.source)
    except ValueError as error:
        raise SourceError(path, cell.line, f"In the solution cell {task_id} {error}.") from error
    if len(regions) != 1:
        raise SourceError(
            path,
            cell.line,
            f"The solution cell {task_id} has {len(regions)} pairs of `### {BEGIN}` and `### {END}`; write one pair "
            "around the body of its function.",
        )
    functions = [node for node in cell.tree.body if isinstance(node, ast.FunctionDef)]
    if [node.name for node in functions] != [task_id]:
        names = ", ".join(node.name for node in functions) or "none"
        raise SourceError(
            path, cell.body, f"The solution cell {task_id} has to define one function, {task_id}; it defines {names}."
        )
    _require_released_form(path, cell, functions[0])


def _require_released_form(path: Path, cell: Cell, function: ast.FunctionDef) -> None:
    line = cell.body + function.lineno - 1
    if not ast.get_docstring(function):
        raise SourceError(path, line, f"{function.name} has no docstring; state its arguments' shapes and units there.")
    try:
        released = ast.parse(with_stub(cell.source)).body[-1]
        left = released.body[-1]
    except (SyntaxError, AttributeError):
        left = None
    if not isinstance(left, ast.Raise):
        raise SourceError(
            path,
            line,
            f"Without its solution {function.name} would not end in `{STUB}`; put the markers inside the function, "
            "indented like its body, around everything after the docstring.",
        )


def _check_of(path: Path, cells: list[Cell], index: int) -> Cell:
    """The check cell between this solution cell and the next one."""
    task_id = cells[index].grade_id
    wanted = f"check-{task_id}"
    places = [place for place, cell in enumerate(cells) if cell.grade_id == wanted and cell.role is Role.CHECK]
    if not places:
        raise SourceError(
            path,
            cells[index].line,
            f"The task {task_id} has no check cell; add one below it with "
            f"`nbgrader: {{grade_id: {wanted}, grade: true, points: …}}`.",
        )
    between = [cell for cell in cells[index + 1 : places[0]] if cell.role is Role.SOLUTION]
    if places[0] < index or between:
        raise SourceError(
            path, cells[places[0]].line, f"{wanted} has to come after the cell {task_id} and before the next solution."
        )
    return cells[places[0]]


def _require_check_form(path: Path, cell: Cell) -> None:
    task_id = cell.grade_id.removeprefix("check-")
    if cell.points is None:
        raise SourceError(path, cell.line, f"{cell.grade_id} has no points; write them beside its grade_id.")
    if _checked_by(cell) != [task_id]:
        raise SourceError(
            path, cell.body, f'{cell.grade_id} has to hold one `with check("{task_id}"):` around its assertions.'
        )
    assertions = [node for node in ast.walk(cell.tree) if isinstance(node, ast.Assert)]
    if not assertions:
        raise SourceError(path, cell.body, f"{cell.grade_id} asserts nothing, so every solution would look right.")
    for node in assertions:
        if node.msg is None:
            raise SourceError(
                path, cell.body + node.lineno - 1, "The assertion has no message; say what was expected and why."
            )


def _fallback_for(path: Path, cells: list[Cell], check: int, task_id: str) -> Cell | None:
    """The task's fallback cell, which has to come after its check and before the first use of its function."""
    fallbacks = [
        place for place, cell in enumerate(cells) if cell.role is Role.FALLBACK and cell.stands_in_for == task_id
    ]
    if len(fallbacks) > 1:
        raise SourceError(path, cells[fallbacks[1]].line, f"{task_id} has a second fallback; keep one.")
    if fallbacks and fallbacks[0] < check:
        raise SourceError(path, cells[fallbacks[0]].line, f"The fallback of {task_id} has to come after its check.")
    end = fallbacks[0] if fallbacks else len(cells)
    for cell in cells[check + 1 : end]:
        if cell.cell_type == "code" and cell.role is not Role.INSTRUCTOR and task_id in names_used(cell.tree):
            raise SourceError(
                path,
                cell.line,
                f"This cell uses {task_id}, which a student may not have solved; put a cell with the tag fallback and "
                f'`if not solved("{task_id}"):` before it.',
            )
    return cells[fallbacks[0]] if fallbacks else None


def _require_known_targets(path: Path, cells: list[Cell]) -> None:
    known = {cell.id for cell in cells if cell.role is Role.SOLUTION}
    for cell in cells:
        target = cell.grade_id.removeprefix("check-") if cell.role is Role.CHECK else None
        target = cell.stands_in_for if cell.role is Role.FALLBACK else target
        if target is not None and target not in known:
            raise SourceError(
                path,
                cell.line,
                f"This {cell.role} cell belongs to a task {target}, but the tasks are {_listed(known)}.",
            )


def _question(path: Path, cells: list[Cell], index: int) -> Task:
    cell = cells[index]
    if cell.points is None:
        raise SourceError(
            path, cell.line, f"The question {cell.grade_id} has no points; write them beside its grade_id."
        )
    try:
        regions = solution_regions(cell.source)
    except ValueError as error:
        raise SourceError(path, cell.line, f"In the question {cell.grade_id} {error}.") from error
    if len(regions) != 1:
        raise SourceError(
            path,
            cell.line,
            f"The question {cell.grade_id} has {len(regions)} sample answers; write one between "
            f"`<!-- {BEGIN} -->` and `<!-- {END} -->`.",
        )
    heading, _ = _statement(path, cells, index + 1)
    return Task(cell.grade_id, cell.points, last_heading(heading.source), None, cell.grade_id, None, None, cell.line)


def _statement(path: Path, cells: list[Cell], index: int) -> tuple[Cell, str]:
    """The cell with the last heading above ``cells[index]`` and the prose from there on, within this task."""
    prose = []
    for cell in reversed(cells[:index]):
        if cell.role is Role.CHECK:
            break
        if cell.cell_type == "markdown" and cell.role is not Role.INSTRUCTOR:
            prose.insert(0, cell.source)
            if last_heading(cell.source):
                return cell, "\n\n".join(prose)
    raise SourceError(path, cells[index].line, f"The task {cells[index].grade_id} has no heading; begin it with `## `.")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
