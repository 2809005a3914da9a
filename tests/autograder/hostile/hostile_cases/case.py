"""What a case of the corpus is, and the notebooks that cases are made from."""

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from course.kit import root
from course.lab.build import release_notebook, solution_notebook
from course.lab.source import Lab, read_lab

LAB_ID = "lab01-sound-as-numbers"
POINTS = {
    "synthesise": 3,
    "alias_frequency": 2,
    "quantise": 3,
    "snr_db": 3,
    "tone_amplitude": 3,
    "bandpass_kernel": 4,
    "filter_block": 4,
    "find_event": 4,
}
ALL, NONE = frozenset(POINTS), frozenset()
TARGET = "quantise"
FROM_TARGET_ON = frozenset(list(POINTS)[list(POINTS).index(TARGET) :])
STRANGER = "stranger"
# A loop is given up after five seconds; what merely computes has time on the busiest machine.
LIMITS = {
    "cell_seconds": 5,
    "call_seconds": 5,
    "task_seconds": 40,
    "total_seconds": 50,
    "grace_seconds": 2,
    "memory_bytes": 2048 << 20,
    "total_memory_bytes": 1024 << 20,
}
# The value of an environment variable of the grader, which no submission may see.
SECRET = "correct-horse-battery-staple"
# Words on the command line of a process that a submission leaves behind.
STRAGGLER = "left-behind-by-a-submission"


@dataclass(frozen=True)
class Site:
    """Where a class is graded, as far as the author of a submission may know it.

    Attributes:
        root: the class folder.
        tcp, udp: ports on the loopback interface at which a service of the machine answers.
        abstract: the name of its abstract Unix socket.
    """

    root: Path
    tcp: int
    udp: int
    abstract: str

    @property
    def kit(self) -> Path:
        """The folder of the course kit."""
        return root()


@dataclass(frozen=True)
class Case:
    """One hostile, broken or innocent submission, and what must become of it.

    Attributes:
        name: of the case, and of the student unless ``student`` is given.
        what: for people, what the submission does.
        hand_in: writes what is handed in into a folder that is there already.
        statuses: those allowed; STRANGER where there is no submission to grade but a sentence for the instructor.
        lost: the tasks that earn nothing; all others keep all of their points.
        says: words that the student reads in the result, whatever the status.
    """

    name: str
    what: str
    hand_in: Callable[[Site, Path], None]
    statuses: tuple[str, ...] = ("graded",)
    lost: frozenset[str] = NONE
    says: str = ""
    student: str = ""
    subject: str = field(default="", compare=False)

    @property
    def folder(self) -> str:
        """The student's name in the class."""
        return self.student or self.name

    @property
    def score(self) -> int:
        """The points that the submission must get."""
        return sum(points for task, points in POINTS.items() if task not in self.lost)


@cache
def the_lab() -> Lab:
    """Lab 1, for which the corpus is written, with limits that one can wait for."""
    return replace(read_lab(root() / "labs" / LAB_ID), limits=LIMITS)


@cache
def _built(start: str) -> NotebookNode:
    made = solution_notebook(the_lab()) if start == "solution" else release_notebook(the_lab())
    made.cells = [cell for cell in made.cells if is_needed(cell)]
    return made


def is_needed(cell: NotebookNode) -> bool:
    """Whether grading needs a cell: of the demonstrations, only the one whose recordings the visible checks use.

    Our grader runs none of them; stock nbgrader would spend most of its time on them.
    """
    return "demo" not in cell.metadata.get("tags", ()) or "quiet, without_chime =" in cell.source


def notebook(start: str, replaced: Mapping[str, str] | None = None, first: str = "", last: Sequence[str] = ()):
    """A notebook made from Lab 1.

    Args:
        start: ``solution``, which earns all points, or ``release``, which earns none.
        replaced: other sources for some cells, by id.
        first: the source of a cell in front of all others.
        last: sources of cells behind all others.
    """
    made = copy.deepcopy(_built(start))
    for cell in made.cells:
        cell.source = (replaced or {}).get(cell.id, cell.source)
    made.cells[:0] = [new_code_cell(first, id="added-first")] if first else []
    made.cells += [new_code_cell(source, id=f"added-{number}") for number, source in enumerate(last)]
    return made


def as_bytes(made: NotebookNode) -> bytes:
    """The notebook as JupyterLab saves it."""
    return nbformat.writes(made, version=nbformat.NO_CONVERT).encode()


def as_json(start: str = "solution") -> dict:
    """A notebook made from Lab 1 as plain data, to be damaged in ways that nbformat would not write."""
    return json.loads(as_bytes(notebook(start)))


def hands_in(make: Callable[[Site], bytes], name: str = f"{LAB_ID}.ipynb") -> Callable[[Site, Path], None]:
    """Hand in the bytes that ``make`` returns as the lab's notebook."""
    return lambda site, folder: (folder / name).write_bytes(make(site)) and None


def adds(*cells: str, first: bool = False, start: str = "solution") -> Callable[[Site, Path], None]:
    """Hand in the solution, or the release, with cells of the student's own at its end, or one in front."""
    if first:
        return hands_in(lambda site: as_bytes(notebook(start, first=_told(cells[0], site))))
    return hands_in(lambda site: as_bytes(notebook(start, last=[_told(cell, site) for cell in cells])))


def replaces(sources: Mapping[str, str], start: str = "solution") -> Callable[[Site, Path], None]:
    """Hand in the solution, or the release, with other sources for some cells."""
    return hands_in(lambda site: as_bytes(notebook(start, replaced=sources)))


def damages(change: Callable[[dict], object], start: str = "solution") -> Callable[[Site, Path], None]:
    """Hand in a notebook that ``change`` has altered in place, or the other document that it returns."""

    def make(_site: Site) -> bytes:
        document = as_json(start)
        return json.dumps(change(document) or document).encode()

    return hands_in(make)


def _told(source: str, site: Site) -> str:
    """The source with the names of places in it: ``@ROOT@``, ``@KIT@``, ``@TCP@``, ``@UDP@``, ``@ABSTRACT@``."""
    places = {"ROOT": site.root, "KIT": site.kit, "TCP": site.tcp, "UDP": site.udp, "ABSTRACT": site.abstract}
    places |= {"LAB": LAB_ID, "SECRET": SECRET, "STRAGGLER": STRAGGLER}
    for name, place in places.items():
        source = source.replace(f"@{name}@", str(place))
    return source
