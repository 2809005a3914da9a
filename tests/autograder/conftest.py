"""A small lab, sandboxes for it, and submissions made from it."""

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell

from autograder.grading import Assignment
from autograder.policy import MIB, Policy
from autograder.sandbox import Bubblewrap
from autograder.workers import Job, grade_all
from course.lab.build import release_notebook, solution_notebook
from course.lab.source import read_lab

SMALL_LAB = Path(__file__).parent / "small-lab"


@pytest.fixture(scope="session")
def lab():
    return read_lab(SMALL_LAB)


@pytest.fixture(scope="session")
def policy():
    """Limits that a test can wait for."""
    return Policy(
        cell_seconds=4,
        call_seconds=4,
        task_seconds=8,
        total_seconds=60,
        grace_seconds=2,
        memory_bytes=2048 * MIB,
        total_memory_bytes=1024 * MIB,
    )


@pytest.fixture(scope="session")
def assignment(lab, policy):
    return Assignment.of(lab, policy, Bubblewrap())


@pytest.fixture(scope="session")
def submission(lab):
    """Make a submission: the solution or the release, with other sources for some cells, and cells added at its end."""

    def make(replaced=None, added=(), start="solution"):
        notebook = solution_notebook(lab) if start == "solution" else release_notebook(lab)
        for cell in notebook.cells:
            cell.source = (replaced or {}).get(cell.id, cell.source)
        notebook.cells += [new_code_cell(source, id=f"added-{n}") for n, source in enumerate(added)]
        return nbformat.writes(notebook).encode()

    return make


@pytest.fixture(scope="session")
def grade_many(assignment):
    """Grade submissions, two at a time: a dict from student to bytes gives one from student to result."""

    def grade(contents):
        jobs = (Job(assignment, student, content) for student, content in contents.items())
        return {job.student: result for job, result in grade_all(jobs, workers=2)}

    return grade


@pytest.fixture
def small_kit(tmp_path, monkeypatch):
    """A kit whose only lab is the small one."""
    kit = tmp_path / "kit"
    for room in ("labs", "notebooks", "book"):
        (kit / room).mkdir(parents=True)
    (kit / "pyproject.toml").touch()
    (kit / "labs" / "small-lab").symlink_to(SMALL_LAB)
    monkeypatch.setenv("COURSE_ROOT", str(kit))
    return kit
