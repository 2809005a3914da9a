"""What every worker of a pipeline is told: what the run is about, and the submission to grade."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from autograder.policy import Policy
from course.errors import CourseError


class Unfit(CourseError):
    """A worker cannot grade as the machine that sent it the work would; the sentence says why."""


@dataclass(frozen=True)
class Element:
    """What travels through the pipeline for a submission: not its bytes, but their SHA-256.

    Attributes:
        lab: the id of the lab.
        student: whose submission it is.
        submission: SHA-256 of its bytes.
        key: the key that its result will have.
        notes: sentences of the intake for the result.
    """

    lab: str
    student: str
    submission: str
    key: str
    notes: tuple[str, ...] = ()


class Plan(BaseModel):
    """What the workers of one run share.

    Attributes:
        labs: the folder of each lab by its id; the same path on every worker.
        store: where submissions and results are, as :func:`autograder.scale.store.open_store` takes it.
        policies: the limits of a submission to each lab, by its id.
        trusted: whether submissions run without a sandbox.
        environment: the versions and digests that results depend on, as they are where the run was started.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    labs: dict[str, Path]
    store: str
    policies: dict[str, Policy]
    trusted: bool
    environment: dict[str, str]
