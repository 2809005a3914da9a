"""Reading a lab: ``labs/<lab-id>/lab.md`` and the files beside it, validated, with file and line of every mistake."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from course import kit
from course.errors import CourseError, SourceError
from course.lab.cells import Cell, front_matter_line, parse, read_cells, read_header
from course.lab.checking import Checks, load_checks
from course.lab.tasks import Task, read_tasks
from course.lab.wrong import WrongSolution, read_wrong_solutions

FEWEST_WRONG = 3


@dataclass(frozen=True)
class Lab:
    """A valid lab: its header, its cells in order, its tasks and the hidden material beside it.

    ``notebook`` is the source as jupytext reads it; ``tasks`` are graded by hidden checks, ``manual`` by a person.
    """

    id: str
    title: str
    lecture: str
    hours: float
    points: int
    without: list[str]
    limits: dict[str, int | float]
    folder: Path
    notebook: NotebookNode
    cells: list[Cell]
    tasks: list[Task]
    manual: list[Task]
    checks: Checks
    wrong: list[WrongSolution]

    @property
    def path(self) -> Path:
        """The lab's ``lab.md``."""
        return self.folder / "lab.md"

    @property
    def task_ids(self) -> list[str]:
        """The ids of the automatically graded tasks, in the lab's order."""
        return [task.id for task in self.tasks]

    def task(self, task_id: str) -> Task:
        """The automatically graded task of that id; KeyError if there is none."""
        return {task.id: task for task in self.tasks}[task_id]


def read_lab(folder: Path) -> Lab:
    """Read and validate a lab.

    Args:
        folder: the lab's folder, which holds lab.md, checks.py, wrong/ and instructor.md.

    Raises:
        SourceError: the first mistake found, with its file, line and what to do.
    """
    folder = Path(folder)
    path = folder / "lab.md"
    text = _read_text(path)
    notebook = parse(path, text)
    header = read_header(path, text, notebook)
    cells = read_cells(path, text, notebook)
    tasks, manual = read_tasks(path, cells, header.without)
    _require_points(path, text, header.points, tasks + manual)
    checks = load_checks(folder)
    _require_checks(path, checks, tasks)
    wrong = read_wrong_solutions(folder / "wrong")
    _require_wrong_solutions(path, wrong, checks, tasks)
    _require_instructor_page(folder)
    return Lab(
        id=folder.resolve().name,
        **header.model_dump(),
        folder=folder,
        notebook=notebook,
        cells=cells,
        tasks=tasks,
        manual=manual,
        checks=checks,
        wrong=wrong,
    )


def lab_folders() -> list[Path]:
    """The folders of the kit's labs, in order of their ids."""
    return sorted(path.parent for path in (kit.root() / "labs").glob("*/lab.md"))


def all_labs() -> list[Lab]:
    """Every lab of the kit, read and validated, in order of their ids."""
    return [read_lab(folder) for folder in lab_folders()]


def find_lab(name: str) -> Lab:
    """The lab of that id, or of the only id that begins with ``name``.

    Raises:
        CourseError: none or several fit; the sentence lists the labs that there are.
        SourceError: the lab has a mistake.
    """
    folders = lab_folders()
    fits = [folder for folder in folders if folder.name == name]
    fits = fits or [folder for folder in folders if name and folder.name.startswith(name)]
    if not fits:
        ids = ", ".join(folder.name for folder in folders) or "none"
        raise CourseError(f"There is no lab {name!r}. The labs are: {ids}.")
    if len(fits) > 1:
        raise CourseError(f"{name!r} fits {', '.join(folder.name for folder in fits)}: type more of the name.")
    return read_lab(fits[0])


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SourceError(
            path, None, "There is no such file; `course lab new` creates a lab with all of them."
        ) from None
    except UnicodeDecodeError as error:
        raise SourceError(path, None, f"The file is not UTF-8 text (byte {error.start}); save it as UTF-8.") from error


def _require_points(path: Path, text: str, points: int, graded: list[Task]) -> None:
    if not graded:
        raise SourceError(path, 1, "The lab has no task; add a solution cell and its check cell.")
    total = sum(task.points for task in graded)
    if total != points:
        listed = ", ".join(f"{task.id} {task.points}" for task in graded)
        line = front_matter_line(text, "lab", "points")
        raise SourceError(path, line, f"The lab has {points} points, but its tasks add up to {total} ({listed}).")


def _require_checks(path: Path, checks: Checks, tasks: list[Task]) -> None:
    known = {task.id for task in tasks}
    for task_id, line in _declared(checks):
        if task_id not in known:
            raise SourceError(
                checks.path, line, f"There is no task {task_id}; the tasks are {', '.join(sorted(known)) or 'none'}."
            )
    for task in tasks:
        if not checks.of(task.id):
            raise SourceError(
                path, task.line, f'The task {task.id} has no hidden check; write one with @check("{task.id}", hint=…).'
            )
        if task.id not in checks.oracles:
            raise SourceError(
                path, task.line, f'The task {task.id} has no oracle; write its reference with @oracle("{task.id}").'
            )


def _declared(checks: Checks) -> list[tuple[str, int]]:
    """Every task that checks.py names, with the line of the first function that names it."""
    named = [(task_id, ones[0].line) for task_id, ones in checks.by_task.items()]
    return sorted(named + list(checks.oracle_lines.items()), key=lambda pair: pair[1])


def _require_wrong_solutions(path: Path, wrong: list[WrongSolution], checks: Checks, tasks: list[Task]) -> None:
    known = {task.id for task in tasks}
    for one in wrong:
        if one.task not in known:
            listed = ", ".join(sorted(known)) or "none"
            raise SourceError(one.path, None, f"The file's name says task {one.task}; the tasks are {listed}.")
        names = [check.name for check in checks.of(one.task)]
        if one.fails not in names:
            raise SourceError(
                one.path, one.line, f"{one.fails} is no check of {one.task}; its checks are {', '.join(names)}."
            )
    counts = Counter(one.task for one in wrong)
    for task in tasks:
        if counts[task.id] < FEWEST_WRONG:
            raise SourceError(
                path,
                task.line,
                f"The task {task.id} has {counts[task.id]} wrong solutions and needs {FEWEST_WRONG}; "
                f"add files wrong/{task.id}--<mistake>.py.",
            )


def _require_instructor_page(folder: Path) -> None:
    page = folder / "instructor.md"
    if not page.is_file() or not page.read_text(encoding="utf-8").strip():
        raise SourceError(
            page, None, "The instructor's page is missing; write time needed, common failures, rubric, worked solution."
        )
