"""The autograder's class folder, read only: who is stuck, how each task goes, and each student's feedback.

Nothing is graded or written here.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from course.errors import CourseError

if TYPE_CHECKING:
    from autograder.pages.class_view import LabView
    from autograder.result import Result

VERSION = 1


@dataclass(frozen=True)
class Classroom:
    """A class, by lab, and a sentence for each result that is missing."""

    labs: dict[str, "LabView"]
    missing: tuple[str, ...]

    @property
    def results(self) -> "list[Result]":
        """Everybody's, lab by lab."""
        return [result for lab in self.labs.values() for result in lab.results]

    def of(self, student: str) -> "list[Result]":
        """What a student has reached, lab by lab."""
        return [result for result in self.results if result.student == student]


def classroom(folder: Path) -> Classroom:
    """The class as its ledger has it now.

    Raises:
        CourseError: there is no class in the folder, or the autograder is not on this machine.
    """
    ledger = folder / "ledger.jsonl"
    try:
        found = ledger.stat()
    except OSError as error:
        raise CourseError(
            "No class has been graded here yet. `course grade --class` does; PORTAL_CLASS_FOLDER names its folder."
        ) from error
    return _read(folder, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=2)
def _read(folder: Path, changed: int, size: int) -> Classroom:
    try:
        from autograder.pages.class_view import lab_view, read_events
        from autograder.records.ledger import Ledger
        from autograder.records.result_store import stored_result
    except ImportError as error:
        raise CourseError("The autograder is not installed beside this portal, which shows no class then.") from error
    entered = sorted(Ledger(folder / "ledger.jsonl").latest.items())
    found = {named: stored_result(folder, *named, entry.key) for named, entry in entered}
    results = [result for result in found.values() if result]
    missing = [
        f"The result of {who} for {lab} is not in results/." for (lab, who), result in found.items() if not result
    ]
    if not results:
        raise CourseError("The class has no results yet. `course grade --class` makes them.")
    events = read_events(folder / "ledger.jsonl")
    labs = {name: [one for one in results if one.lab == name] for name in sorted({one.lab for one in results})}
    return Classroom({name: lab_view(own, events.get(name, ())) for name, own in labs.items()}, tuple(missing))


def feedback_address(result: "Result") -> str:
    """Where the feedback on a student's notebook is, below the portal's own address."""
    from autograder.pages.feedback import address

    return f"/class/{address(result.student, result.lab)}"


def feedback(folder: Path, results: "list[Result]", address: str) -> Path | None:
    """The file behind an address of :func:`feedback_address`, if it belongs to one of these results and is there."""
    from autograder.pages.feedback import feedback_path

    found = (feedback_path(folder, one) for one in results if unquote(feedback_address(one)) == address)
    return next((path for path in found if path.is_file()), None)


def as_json(lab: "LabView") -> dict[str, Any]:
    """A lab's table as the view reads it, version 1."""
    tasks = {task.id: task for result in lab.results for task in result.tasks}
    about = {stuck.result.student: stuck for stuck in lab.stuck}
    return {
        "version": VERSION,
        "lab": lab.id,
        "tasks": [{"id": task.id, "title": task.title, "max_score": task.max_score} for task in tasks.values()],
        "rows": [
            {
                "student": one.student,
                "url": feedback_address(one),
                "status": str(one.status),
                "score": one.score,
                "max_score": one.max_score,
                "tasks": {task.id: task.score for task in one.tasks},
                "stuck": _sentence(about.get(one.student)),
            }
            for one in lab.results
        ],
    }


def _sentence(stuck) -> str:
    """What to talk about with somebody who is stuck."""
    if stuck is None:
        return ""
    if stuck.result.status != "graded":
        return stuck.result.sentence
    if stuck.task is None:
        return "Below half of the points."
    return f"{stuck.task.title}: {stuck.task.hints[0] if stuck.task.hints else 'not solved yet'}"
