"""The machine that a benchmark ran on, as far as its numbers depend on it."""

import importlib.metadata
import os
import platform

import psutil
from pydantic import BaseModel, ConfigDict

from course import kit, processor
from course.site.stamp import git

NOTABLE = ("numpy", "torch", "nbgrader", "nbclient", "ipykernel", "jupyter-book", "sqlalchemy", "apache-beam")


class Machine(BaseModel):
    """Processor, memory, system and the versions of what is measured."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cpu: str
    cores: int
    memory_bytes: int
    system: str
    python: str
    packages: dict[str, str]


def this_machine() -> Machine:
    """The machine at hand; ``cores`` are those that this process may use."""
    return Machine(
        cpu=processor.described(processor.about()),
        cores=len(os.sched_getaffinity(0)),
        memory_bytes=psutil.virtual_memory().total,
        system=platform.platform(),
        python=platform.python_version(),
        packages={name: importlib.metadata.version(name) for name in NOTABLE},
    )


def load() -> tuple[float, float, float]:
    """Processes that ran or waited for a processor, on average over 1, 5 and 15 minutes."""
    return os.getloadavg()


def commit() -> str:
    """The kit's commit, with ``-dirty`` where files differ from it; empty outside a repository."""
    return git(kit.root(), "describe", "--always", "--abbrev=40", "--dirty")
