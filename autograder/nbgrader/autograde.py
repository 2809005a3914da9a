"""``nbgrader autograde``, and formgrader's button, with our execution underneath.

The class's configuration names one class, :class:`SandboxedExporter`, and nbgrader makes one of it at the start of
each autograding. Before nbgrader has opened a file, the submissions are taken in by a process of their own and nbgrader
is pointed to a folder in which only clean copies lie; where it would execute a notebook, the result of our grading is
put in instead. Everything around that (gradebook, late penalties, skipping what is graded, ``--force``) is nbgrader's.
"""

import io
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nbconvert.exporters import NotebookExporter
from nbgrader.converters import Autograde, NbGraderException
from nbgrader.preprocessors import Execute, SaveAutoGrades
from traitlets.utils.importstring import import_item

from autograder.nbgrader.client import service
from autograder.result import Result, Status


class SandboxedExporter(NotebookExporter):
    """What nbgrader reads and writes notebooks with while it autogrades: no file of a student's gets here.

    Put into force by ``c.Autograde.exporter_class`` in the class's ``nbgrader_config.py``.

    Raises:
        NbGraderException: the submissions cannot be taken in, with the reason.
    """

    def __init__(self, *, parent: Autograde, **options):
        super().__init__(parent=parent, **options)
        self.root, self.lab = Path(parent.coursedir.root), parent.coursedir.assignment_id
        self._stage = tempfile.TemporaryDirectory(prefix="course-autograde-")
        self._graded: dict[str, tuple[Result, str]] = {}
        handed = self._take_in(parent.coursedir.student_id)
        _point_to(parent, self._stage.name)
        self._grade(_to_convert(parent, handed))

    def register_preprocessor(self, preprocessor, enabled=False):
        """Register a step of nbgrader's, unless it would execute the notebook or read scores from what was executed."""
        step = import_item(preprocessor) if isinstance(preprocessor, str) else preprocessor
        if isinstance(step, type) and issubclass(step, Execute | SaveAutoGrades):
            return None
        return super().register_preprocessor(step, enabled)

    def from_filename(self, filename, resources=None, **options):
        """Convert a clean copy as nbgrader does; then, in the place of the executed notebook, the one with our result.

        Raises:
            NbGraderException: the grading itself failed, or another one is at work.
        """
        if Path(filename).is_relative_to(self._stage.name):
            return super().from_filename(filename, resources, **options)
        result, notebook = self._result(resources["nbgrader"]["student"])
        self.log.info("%s: %s, %s of %s points", result.student, result.status, result.score, result.max_score)
        return super().from_file(io.StringIO(notebook), resources, **options)

    def _take_in(self, students: str) -> list[str]:
        """Have submissions read, and clean copies written into the stage; return who of ``students`` handed in."""
        where = {"root": str(self.root), "lab": self.lab, "stage": self._stage.name}
        (taken_in,) = self._ask({"ask": "take in", "students": students, **where}, 1)
        for stranger in taken_in["strangers"]:
            self.log.warning(stranger)
        return taken_in["handed"]

    def _grade(self, students: Sequence[str]) -> None:
        """Have submissions graded, side by side, and the scores entered in the gradebook."""
        if students:
            self.log.info("Grading %s submissions of %s in sandboxes", len(students), self.lab)
        for answer in self._ask({"ask": "grade", "students": list(students)}, len(students)):
            result = Result.model_validate(answer["result"])
            self._graded[result.student] = (result, answer["notebook"])

    def _result(self, student: str) -> tuple[Result, str]:
        """The result of a student's submission, which is in the gradebook, and the notebook that shows it."""
        if student not in self._graded:
            self._grade([student])
        result, notebook = self._graded.pop(student)
        if result.status is Status.INFRASTRUCTURE:
            raise NbGraderException(f"{result.sentence} ({result.fault})")
        return result, notebook

    def _ask(self, question: dict[str, Any], answers: int) -> list[dict[str, Any]]:
        try:
            return list(service().ask(question, answers))
        except NbGraderException as refusal:
            # nbgrader's commands end with a status and no word about this exception.
            self.log.error(refusal)
            raise


def _point_to(converter: Autograde, stage: str) -> None:
    """Have nbgrader read submissions from the folder ``stage`` instead of the one that students fill."""
    before = converter.coursedir
    values = {name: getattr(before, name) for name in before.trait_names(config=True)}
    converter.coursedir = type(before)(parent=before.parent, **values | {"submitted_directory": stage})
    converter.init_notebooks()


def _to_convert(converter: Autograde, handed: Sequence[str]) -> list[str]:
    """The students whose submissions this run will convert; one that turns out newer is asked for when it is met."""
    folders = converter.coursedir

    def is_new(student: str) -> bool:
        done = folders.format_path(folders.autograded_directory, student, folders.assignment_id)
        return converter.force or not Path(done).exists()

    excluded = folders.student_id_exclude.split(",")
    return [student for student in handed if student not in excluded and is_new(student)]
