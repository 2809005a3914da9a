"""The process beside nbgrader that touches submissions: ``python -m autograder.nbgrader.service DESCRIPTOR``.

nbgrader, and the Jupyter server that formgrader lives in, ask it over a socket that both ends inherited. It reads what
was handed in, keeps warm sandboxes between two questions, and ends when its asker ends or has not asked for a while.
A question is one JSON object, the answer to it one or several.
"""

import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path

import nbformat

from autograder.class_folder import COURSE_ID, set_up
from autograder.classroom import only_one_grader
from autograder.collection import Handed, collect, kept_submissions
from autograder.grading import Assignment, rejection
from autograder.nbgrader.notebook import autograded_notebook, clean_notebook
from autograder.nbgrader.notes import set_aside_unreadable, write_notes
from autograder.policy import Policy
from autograder.records.gradebook import ClassGradebook
from autograder.records.result_store import result_path, stored_result
from autograder.result import Result, digest
from autograder.sandbox import Bubblewrap
from autograder.workers import Job, grade_all
from course.errors import CourseError
from course.lab.source import lab_folders, read_lab
from course.storage import write_atomic

IDLE_SECONDS = 900.0


@dataclass(frozen=True)
class Intake:
    """What was handed in for one lab of the class folder ``root``, by student."""

    root: Path
    assignment: Assignment
    handed: dict[str, Handed]

    def content(self, student: str) -> bytes | None:
        """The bytes of a student's notebook, None if they were not accepted."""
        submission = self.handed[student].submission
        return (kept_submissions(self.root) / f"{submission}.ipynb").read_bytes() if submission else None

    def known(self, student: str) -> Result | None:
        """The result that is there already; for a rejected submission it is made here, without a sandbox."""
        handed = self.handed[student]
        if handed.rejected:
            return rejection(self.assignment, student, handed.rejected, None)
        return stored_result(self.root, handed.lab, student, self.assignment.key(student, handed.submission))


class Clerk:
    """Answers nbgrader's questions; remembers the last intake and, in its runner, warm sandboxes."""

    def __init__(self):
        self.runner = Bubblewrap()
        self.assignments: dict[str, Assignment] = {}
        self.intake: Intake | None = None

    def answers(self, question: dict) -> Iterator[dict]:
        """The answers to a question: one for an intake, one for each student for a grading."""
        if question["ask"] == "take in":
            yield self.take_in(Path(question["root"]), question["lab"], question["students"], Path(question["stage"]))
        else:
            yield from self.grade(question["students"])

    def take_in(self, root: Path, lab: str, students: str, stage: Path) -> dict:
        """Read what was handed in for a lab and write into ``stage`` what nbgrader may read of it.

        Args:
            root: the class folder.
            lab: the id of the lab.
            students: nbgrader's pattern for the names of the students.
            stage: an empty folder, which gets nbgrader's layout: student/lab/lab.ipynb and timestamp.txt.

        Returns:
            ``handed``: the students; ``strangers``: a sentence for each entry that is not read.

        Raises:
            CourseError: there is no such lab, or nothing was handed in.
        """
        assignment = self._assignment(lab)
        if not (root / "submitted").is_dir():
            raise CourseError(f"{root} has no folder `submitted`; run nbgrader in the class folder.")
        set_up(root, [assignment])
        strangers: list[str] = []
        found = collect(root, {lab: assignment}, strangers, lambda student: fnmatchcase(student, students))
        self.intake = Intake(root, assignment, {one.student: one for one in found})
        set_aside_unreadable(root, self.intake.handed.values())
        for one in self.intake.handed.values():
            self._write_clean(stage / one.student / lab, one)
        others = tuple(f"/{folder.name}: " for folder in lab_folders())
        strangers = [one for one in strangers if not any(name in one for name in others)]
        return {"handed": sorted(self.intake.handed), "strangers": strangers}

    def grade(self, students: Sequence[str]) -> Iterator[dict]:
        """Results and notebooks of students of the last intake, once all of them are in the gradebook.

        Raises:
            CourseError: another grading is at work, or the gradebook cannot be written or has another lab.
        """
        intake = self.intake
        stamps = {name: intake.handed[name].timestamp for name in students if intake.handed[name].timestamp}
        with only_one_grader(intake.root):
            gradebook = ClassGradebook(intake.root, COURSE_ID)
            gradebook.recover()
            results = list(self._results(students))
            gradebook.apply(intake.assignment, results, stamps)
        for result in results:
            notebook = autograded_notebook(intake.assignment, result, intake.content(result.student))
            yield {"result": result.model_dump(mode="json"), "notebook": nbformat.writes(notebook)}

    def _results(self, students: Sequence[str]) -> Iterator[Result]:
        """A result for each student, graded now where there is none; each is stored as soon as it is there."""
        intake = self.intake
        known = {student: intake.known(student) for student in students}
        yield from filter(None, known.values())
        waiting = [intake.handed[student] for student in students if not known[student]]
        jobs = (Job(intake.assignment, one.student, intake.content(one.student), one.notes) for one in waiting)
        for _, result in grade_all(jobs, workers=len(os.sched_getaffinity(0))):
            result.write(result_path(intake.root, result.lab, result.student, result.key))
            yield result

    def _assignment(self, lab: str) -> Assignment:
        """The assignment of a lab, read again when its text or its checks have changed."""
        folder = next((folder for folder in lab_folders() if folder.name == lab), None)
        if folder is None:
            ids = ", ".join(folder.name for folder in lab_folders()) or "none"
            raise CourseError(f"{lab} is none of the kit's labs ({ids}), so there are no checks to grade it with.")
        version = digest(*((folder / name).read_bytes() for name in ("lab.md", "checks.py")))
        if version not in self.assignments:
            read = read_lab(folder)
            self.assignments[version] = Assignment.of(read, Policy.of(read), self.runner)
        return self.assignments[version]

    def _write_clean(self, folder: Path, one: Handed) -> None:
        notebook = clean_notebook(self.intake.assignment, self.intake.content(one.student))
        write_atomic(folder / f"{one.lab}.ipynb", nbformat.writes(notebook) + "\n")
        write_notes(self.intake.root, folder, one.student, one.lab, one.timestamp)


def main(descriptor: int) -> None:
    """Answer what comes over the socket until the other end is closed or silent for long."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    asker, clerk = Connection(descriptor), cache(Clerk)
    # The asker's end closes the socket, or dies, whenever it likes.
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while asker.poll(IDLE_SECONDS):
            question = json.loads(asker.recv_bytes())
            for answer in _answers(clerk, question):
                asker.send_bytes(json.dumps(answer | {"number": question["number"]}).encode())
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _answers(clerk: Callable[[], Clerk], question: dict) -> Iterator[dict]:
    try:
        yield from clerk().answers(question)
    except CourseError as error:
        yield {"refused": str(error)}


if __name__ == "__main__":
    main(int(sys.argv[1]))
