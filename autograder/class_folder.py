"""What nbgrader needs in a class folder beside the submissions: configuration, source and release."""

from collections.abc import Iterable
from pathlib import Path

from autograder.grading import Assignment
from course.lab.build import release_notebook, source_notebook, write_notebook
from course.storage import write_atomic

COURSE_ID = "from-waveform-to-cloud"
CONFIG = f'''# nbgrader, for this class: `course grade --class` wrote this file once and leaves your changes alone.
import os

c = get_config()  # noqa: F821

c.CourseDirectory.course_id = "{COURSE_ID}"
c.CourseDirectory.root = os.path.dirname(os.path.abspath(__file__))
# Stock autograding would run a submission in this process: `course grade --class` grades in a sandbox instead.
c.Autograde.autograde_preprocessors = ["autograder.nbgrader_guard.GradeInSandbox"]
c.ClearSolutions.code_stub = {{"python": "raise NotImplementedError()"}}
# What a student wrote is shown to you without its scripts.
c.HTMLExporter.sanitize_html = True
'''


def set_up(root: Path, assignments: Iterable[Assignment]) -> None:
    """Write configuration, source and release where they are missing."""
    if not (root / "nbgrader_config.py").exists():
        write_atomic(root / "nbgrader_config.py", CONFIG)
    for assignment in assignments:
        lab = assignment.lab
        for folder, make in (("source", source_notebook), ("release", release_notebook)):
            path = root / folder / lab.id / f"{lab.id}.ipynb"
            if not path.exists():
                write_notebook(make(lab), path)
