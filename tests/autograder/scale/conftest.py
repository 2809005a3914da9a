"""A small class with hostile submissions, graded on engines, and what can be compared of the results."""

import hashlib
import json

import pytest

from autograder.scale.grader import PipelineGrader
from autograder.scale.plan import Element, Plan
from autograder.workers import Job, grade_all

SWALLOW = """
def normalise(signal, level):
    while True:
        try:
            while True:
                x = 1
        except BaseException:
            x = 2
"""


@pytest.fixture(scope="session")
def contents(submission):
    """The bytes that twelve students handed in."""
    other = json.loads(submission())
    other["metadata"]["course"]["lab"] = "lab09-other"
    double = json.loads(submission())
    double["cells"] *= 2
    return {
        "ada": submission(),
        "ben": submission(start="release"),
        "chloe <b>&": submission({"normalise": "def normalise(signal, level):\n    return signal * level"}),
        "dmitri": submission({"rms_level": "def rms_level(signal):\n    return float(np.abs(signal).mean())"}),
        "emeka": b"not a notebook",
        "farah": json.dumps(other).encode(),
        "goran": submission(added=["while True: pass"]),
        "hana": submission(added=[SWALLOW]),
        "ida": submission(added=["import os; os._exit(0)"]),
        "jan": submission(added=["def normalise(signal, level): return np.ones(2**30)"]),
        "kim": submission(added=["import ctypes\ndef normalise(signal, level): ctypes.string_at(0)"]),
        "lea": json.dumps(double).encode(),
    }


@pytest.fixture(scope="session")
def jobs_of(assignment):
    """Make jobs of what students handed in."""
    return lambda handed: [Job(assignment, student, content, ("a note",)) for student, content in handed.items()]


@pytest.fixture(scope="session")
def expected(contents, jobs_of):
    """What the grader's own worker processes find: the results by student."""
    return {job.student: _timeless(result) for job, result in grade_all(jobs_of(contents), workers=2)}


@pytest.fixture(scope="session")
def timeless():
    """What can be compared of two gradings of the same submission: all but the seconds that they took."""
    return _timeless


def _timeless(found):
    plain = found.model_dump(mode="json") if hasattr(found, "model_dump") else found
    if isinstance(plain, dict):
        return {name: _timeless(value) for name, value in plain.items() if name != "seconds"}
    return [_timeless(value) for value in plain] if isinstance(plain, list) else plain


@pytest.fixture
def grader(tmp_path):
    """Make a grader on a runner, with two workers, for a class in the test's folder."""
    return lambda runner, *options, store=None: PipelineGrader(
        runner, 2, store or str(tmp_path), tmp_path / "pipeline.log", options
    )


@pytest.fixture
def plan(assignment, tmp_path):
    """What workers are told that grade for the class in the test's folder."""
    return Plan(
        labs={assignment.lab.id: assignment.lab.folder},
        store=str(tmp_path),
        policies={assignment.lab.id: assignment.policy},
        trusted=False,
        environment=assignment.environment,
    )


@pytest.fixture(scope="session")
def element_of(assignment):
    """The element of a student's submission."""

    def make(student, content):
        submission = hashlib.sha256(content).hexdigest()
        return Element(assignment.lab.id, student, submission, assignment.key(student, submission))

    return make
