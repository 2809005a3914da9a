"""The result of grading one submission, and the key under which it is kept."""

import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

import course
from autograder.supplies import installed_distributions
from course.storage import write_atomic

# The files whose change may change a result; pages about results are not among them.
GRADING_MODULES = (
    "driver",
    "grading",
    "intake",
    "namespaces",
    "policy",
    "protocol",
    "result",
    "sandbox",
    "session",
    "supplies",
    "walls",
    "withheld",
    "zygote",
)
LAB_MODULES = ("build", "cells", "checking", "expect", "source", "student", "tasks")


class Status(StrEnum):
    """How a grading ended."""

    GRADED = "graded"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    CRASH = "crash"
    MALFORMED = "malformed"
    REFUSED = "refused"
    INFRASTRUCTURE = "infrastructure"


# When several things happened to one submission, the later in this order names it.
WORST = tuple(Status)

SENTENCES = {
    Status.GRADED: "Your notebook ran and every task was checked.",
    Status.TIMEOUT: (
        "Some of your code did not come to an end in the time it has. Look for a loop that never stops; "
        "the tasks that finished keep their points."
    ),
    Status.MEMORY: (
        "Some of your code asked for more memory than it may have. Look for an array that is far larger than the "
        "signal it comes from; the tasks that finished keep their points."
    ),
    Status.CRASH: (
        "The Python process of your notebook ended before it had answered. Look for a call that ends Python, such as "
        "os._exit, or for very deep recursion; the tasks that finished keep their points."
    ),
    Status.MALFORMED: "The file is not a notebook that can be graded.",
    Status.REFUSED: "The file was not graded.",
    Status.INFRASTRUCTURE: (
        "The grading itself failed, which is not your fault and costs you nothing; it will be run again."
    ),
}


class Strict(BaseModel):
    """A part of a result: fixed fields, never changed after it is made."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Hint(Strict):
    """Something for the student to look at; ``lines`` are the student's own, where an exception came up."""

    text: str
    error: str | None = None
    lines: tuple[str, ...] = ()


class TaskResult(Strict):
    """A task that hidden checks graded: all of its points when all of them passed, else none."""

    id: str
    title: str
    score: int
    max_score: int
    checks_passed: int = 0
    checks: int = 0
    unsolved: bool = False
    hints: tuple[str, ...] = ()
    details: tuple[Hint, ...] = ()
    failed: tuple[str, ...] = Field((), description="names of the failed checks, for the instructor")
    seconds: float = Field(0.0, description="wall clock of checking the task")


class Question(Strict):
    """A question that a person grades."""

    id: str
    title: str
    max_score: int
    answered: bool


class Result(Strict):
    """What the grading of one submission found; a pure function of what its key is made of."""

    schema_version: Literal[1] = 1
    key: str
    parts: dict[str, str] = Field(description="digests of what the key is made of beside student and submission")
    lab: str
    lab_title: str
    student: str
    submission: str | None = Field(description="SHA-256 of the notebook's bytes; None if they could not be read")
    status: Status
    sentence: str
    notes: tuple[str, ...] = ()
    score: int
    max_score: int
    tasks: tuple[TaskResult, ...]
    manual: tuple[Question, ...] = ()
    cells: tuple[Hint, ...] = Field((), description="cells that stopped with an error")
    fault: str | None = Field(None, description="what failed in the grading itself, for the instructor")
    seconds: float
    environment: dict[str, str]

    def finding(self) -> dict:
        """All of the result but how long it took: equal whenever the key is."""
        return self.model_dump(exclude={"seconds": True, "tasks": {"__all__": {"seconds"}}})

    def write(self, path: Path) -> None:
        """Store the result so that a reader finds all of it or nothing."""
        write_atomic(path, self.model_dump_json(indent=2) + "\n")

    @classmethod
    def read(cls, path: Path) -> "Result":
        """The result stored at ``path``; ValueError if it is not one."""
        return cls.model_validate_json(path.read_bytes())


def worst(statuses: list[Status]) -> Status:
    """The status that names a submission to which all of ``statuses`` happened."""
    return max([Status.GRADED, *statuses], key=WORST.index)


def digest(*parts: bytes | str) -> str:
    """SHA-256 over the parts and their boundaries, in hexadecimal."""
    hasher = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        hasher.update(len(content).to_bytes(8, "big") + content)
    return hasher.hexdigest()


def result_key(**parts: str) -> str:
    """The key of a result: SHA-256 over the names and digests of all that it is a function of."""
    return digest(json.dumps(parts, sort_keys=True))


@cache
def environment(sandbox: str) -> dict[str, str]:
    """The versions that a result depends on, and digests of the installed packages and of the grader's own files."""
    packages = sorted({f"{one.metadata['Name']}=={one.version}" for one in installed_distributions()})
    return {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "numpy": importlib.metadata.version("numpy"),
        "ipython": importlib.metadata.version("ipython"),
        "packages": digest(*packages),
        "grader": digest(*_grading_code()),
        "sandbox": sandbox,
    }


def _grading_code() -> Iterator[bytes]:
    grader, labs = Path(__file__).parent, Path(course.__file__).parent / "lab"
    yield from ((grader / f"{name}.py").read_bytes() for name in GRADING_MODULES)
    yield from ((labs / f"{name}.py").read_bytes() for name in LAB_MODULES)
