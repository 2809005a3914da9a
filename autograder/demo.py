"""A class to look at: eight students who hand in every lab, each submission made from the lab itself.

One hands in the reference solution and one the untouched release; four make a mistake that the lab knows of, each in
another task; one loops for ever; one leaves the tasks alone and tries to write the gradebook instead.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell
from rich.console import Console

from autograder.classroom import grade_class
from autograder.result import digest
from autograder.sandbox import Bubblewrap
from course.errors import CourseError
from course.kit import build_dir
from course.lab.build import release_notebook, solution_notebook, write_notebook
from course.lab.source import Lab, all_labs, find_lab
from course.storage import write_atomic

NOTE = ".demo-class"
MADE = (
    *(
        "submitted",
        "source",
        "release",
        "autograded",
        "feedback",
        "results",
        "backups",
        "summary",
        "assets",
        "exchange",
        "feedback-notebooks",
    ),
    *("gradebook.db", "ledger.jsonl", "summary.html", "nbgrader_config.py"),
)
WRONG_STUDENTS = ("chloe", "dmitri", "emeka", "farah")
ENDLESS = """
def {function}(*args, **kwargs):
    while True:
        pass
"""
INTRUSION = """
import sqlite3

for path in [{path!r}, "gradebook.db", "../../../gradebook.db"]:
    try:
        with sqlite3.connect(path) as gradebook:
            gradebook.execute("UPDATE grade SET manual_score = 100")
    except sqlite3.Error as error:
        print(path, error)
"""


def make_demo_class(class_dir: Path, lab_name: str | None = None) -> list[str]:
    """Write the submissions into ``class_dir/submitted``; return the students' names.

    The same labs give the same bytes. If a lab has changed since, what was graded goes: nbgrader's gradebook
    cannot hold two versions of a lab, and a class that is generated has nothing to lose.

    Args:
        class_dir: the class folder; it is created.
        lab_name: the only lab, by its id or the beginning of it; all labs if not given.

    Raises:
        CourseError: the folder is a class that was not made here.
    """
    class_dir = Path(class_dir).resolve()
    labs = [find_lab(lab_name)] if lab_name else all_labs()
    _make_room(class_dir, digest("".join(nbformat.writes(release_notebook(lab)) for lab in labs)))
    students = {}
    for lab in labs:
        for student, notebook in _submissions(lab, class_dir):
            students[student] = None
            write_notebook(notebook, class_dir / "submitted" / student / lab.id / f"{lab.id}.ipynb")
    return list(students)


def demo_class(console: Console) -> list[tuple[str, Path]]:
    """The step of ``course up``: make the demo class in build/class, grade what is new, say where it all is.

    Raises:
        CourseError: there is no sandbox on this machine, or the grading itself failed.
    """
    folder = build_dir() / "class"
    make_demo_class(folder)
    if grade_class(folder, Bubblewrap(), jobs=len(os.sched_getaffinity(0)), console=console).failed:
        raise CourseError(f"Grading failed for somebody in {folder}; {folder / 'summary.html'} says why.")
    return [
        ("class summary", folder / "summary.html"),
        ("feedback", folder / "feedback"),
        ("gradebook", folder / "gradebook.db"),
    ]


def _make_room(class_dir: Path, release: str) -> None:
    """Note the release in a new folder, or remove what was made from another release."""
    note = class_dir / NOTE
    if not note.exists() and class_dir.exists() and any(class_dir.iterdir()):
        raise CourseError(f"{class_dir} is not empty and no demo class; name another folder for the demo class.")
    if note.exists() and note.read_text() != release:
        for name in MADE:
            shutil.rmtree(class_dir / name, ignore_errors=True)
            if (class_dir / name).is_file():
                (class_dir / name).unlink()
    write_atomic(note, release)


def _submissions(lab: Lab, class_dir: Path) -> Iterator[tuple[str, NotebookNode]]:
    yield "ada-reference", solution_notebook(lab)
    yield "ben-untouched", release_notebook(lab)
    for name, wrong in zip(WRONG_STUDENTS, _one_wrong_for_each_task(lab), strict=False):
        yield f"{name}-wrong", _with_source(solution_notebook(lab), wrong.task, wrong.source)
    endless = lab.tasks[len(lab.tasks) // 2]
    looping = ENDLESS.format(function=endless.function).strip()
    yield "goran-endless", _with_source(solution_notebook(lab), endless.solution_cell_id, looping)
    intruder = release_notebook(lab)
    cell = new_code_cell(INTRUSION.format(path=str(class_dir / "gradebook.db")).strip(), id="added-by-the-student")
    intruder.cells.append(cell)
    yield "hana-intruder", intruder


def _one_wrong_for_each_task(lab: Lab) -> list:
    """The first wrong solution of each task, tasks spread over the lab."""
    first = {}
    for wrong in lab.wrong:
        first.setdefault(wrong.task, wrong)
    return [first[task.id] for task in lab.tasks[:: max(len(lab.tasks) // len(WRONG_STUDENTS), 1)]]


def _with_source(notebook: NotebookNode, cell_id: str, source: str) -> NotebookNode:
    cell = next(cell for cell in notebook.cells if cell.id == cell_id)
    cell.source = source
    return notebook
