"""Classes to measure with: the same submissions, laid out for the kit's grader and for stock nbgrader.

Every submission has bytes of its own, so that nothing is graded once for two students.
"""

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook

from autograder.bench.stock import stock_source
from autograder.class_folder import COURSE_ID
from course.bench.trials import Command, seconds_of
from course.errors import CourseError
from course.lab.build import release_notebook, solution_notebook, write_notebook
from course.lab.source import Lab, read_lab
from course.storage import write_atomic

LAB = Path(__file__).parent / "bench-lab"
# Stock nbgrader as its users have it: nothing but the name of the course.
STOCK_CONFIG = f'c = get_config()  # noqa: F821\nc.CourseDirectory.course_id = "{COURSE_ID}"\n'
ROOMS = ("labs", "notebooks", "book")
HALVES = "ab"  # the first letter of a student's name, by which nbgrader's --student divides a class


def bench_lab() -> Lab:
    """The lab that the grading is measured with; it imports torch and its own code takes no time."""
    return read_lab(LAB)


def submissions(lab: Lab, count: int) -> Iterator[tuple[str, bytes]]:
    """Students' names and notebooks: reference, untouched release and every wrong solution in turn."""
    for number, (name, notebook) in enumerate(islice(cycle(_variants(lab)), count)):
        yield f"{HALVES[number % len(HALVES)]}{number:04}-{name}", _own_bytes(notebook, number)


def _own_bytes(notebook: NotebookNode, number: int) -> bytes:
    own = nbformat.from_dict(notebook)
    own.metadata["handed_in_as_number"] = number
    return nbformat.writes(own).encode()


def _variants(lab: Lab) -> Iterator[tuple[str, NotebookNode]]:
    yield "reference", solution_notebook(lab)
    yield "untouched", release_notebook(lab)
    for wrong in lab.wrong:
        notebook = solution_notebook(lab)
        next(cell for cell in notebook.cells if cell.id == wrong.task).source = wrong.source
        yield wrong.path.stem, notebook


@dataclass(frozen=True)
class Bench:
    """A folder to measure in, with a kit whose only lab is the bench lab, and classes made ready to be copied.

    Args:
        folder: an empty folder; whoever made it removes it.
        lab: from :func:`bench_lab`.
    """

    folder: Path
    lab: Lab

    @property
    def environment(self) -> dict[str, str]:
        """The environment of every command that is measured: this kit, a home of its own, one thread a process."""
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        home = {"HOME": str(self.folder / "home"), "JUPYTER_CONFIG_DIR": str(self.folder / "home")}
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
        return os.environ | threads | home | {"COURSE_ROOT": str(self.folder / "kit"), "PATH": path}

    def prepare(self) -> None:
        """Make the kit and, for stock nbgrader, the release, of which the gradebook knows the cells."""
        for room in ROOMS:
            (self.folder / "kit" / room).mkdir(parents=True)
        (self.folder / "kit" / "pyproject.toml").touch()
        shutil.copytree(self.lab.folder, self.folder / "kit" / "labs" / self.lab.id)
        (self.folder / "home").mkdir()
        stock = self.folder / "stock"
        write_atomic(stock / "nbgrader_config.py", STOCK_CONFIG)
        write_notebook(stock_source(self.lab), stock / "source" / self.lab.id / f"{self.lab.id}.ipynb")
        seconds_of([self.nbgrader(stock, "generate_assignment", self.lab.id)])
        # A class that hands in has its gradebook already; to make an empty one takes seconds on either side.
        (self.folder / "ours").mkdir()
        Gradebook(f"sqlite:///{self.folder / 'ours' / 'gradebook.db'}", COURSE_ID).close()

    def course(self, root: Path, *arguments: str) -> Command:
        """``course`` with these arguments, to be run in a class folder."""
        return Command((sys.executable, "-m", "course.command", *arguments), root, self.environment)

    def nbgrader(self, root: Path, *arguments: str) -> Command:
        """``nbgrader`` with these arguments, to be run in a class folder."""
        return Command((sys.executable, "-m", "nbgrader", *arguments), root, self.environment)

    @contextlib.contextmanager
    def new_class(self, kind: str, count: int) -> Iterator[Path]:
        """A class of so many submissions that nobody has graded, for ``ours`` or ``stock``; removed afterwards."""
        with tempfile.TemporaryDirectory(prefix="class-", dir=self.folder) as root:
            shutil.copytree(self.folder / kind, root, dirs_exist_ok=True)
            for student, content in submissions(self.lab, count):
                path = Path(root) / "submitted" / student / self.lab.id / f"{self.lab.id}.ipynb"
                path.parent.mkdir(parents=True)
                path.write_bytes(content)
            yield Path(root)

    @contextlib.contextmanager
    def references(self, count: int) -> Iterator[list[Path]]:
        """Files of so many reference solutions, each with bytes of its own; removed afterwards with their folder."""
        with tempfile.TemporaryDirectory(prefix="references-", dir=self.folder) as folder:
            reference, files = solution_notebook(self.lab), []
            for number in range(count):
                files.append(Path(folder) / f"reference-{number:04}.ipynb")
                files[-1].write_bytes(_own_bytes(reference, number))
            yield files

    def require_right_scores(self, root: Path) -> None:
        """Compare the gradebook of a class with what the lab says that each submission deserves.

        Raises:
            CourseError: a submission has another score, or none; how long that took is of no interest.
        """
        graded = _scores(root, self.lab)
        for folder in sorted((root / "submitted").iterdir()):
            student = folder.name
            deserved = _deserved(self.lab, student.partition("-")[2])
            if graded.get(student) != deserved:
                raise CourseError(f"{student} deserves {deserved} and came out with {graded.get(student)}.")


def _scores(root: Path, lab: Lab) -> dict[str, dict[str, float]]:
    """The points of each task in a class's gradebook, by student."""
    cells = {task.check_cell_id: task.id for task in lab.tasks}
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}", COURSE_ID) as gradebook:
        return {
            one.student.id: {cells[grade.name]: grade.score for grade in one.grades}
            for one in gradebook.notebook_submissions(lab.id, lab.id)
        }


def _deserved(lab: Lab, variant: str) -> dict[str, float]:
    """All points for the reference, none for the untouched release, none for the task of a wrong solution."""
    lost = set(lab.task_ids) if variant == "untouched" else {one.task for one in lab.wrong if one.path.stem == variant}
    return {task.id: 0.0 if task.id in lost else float(task.points) for task in lab.tasks}
