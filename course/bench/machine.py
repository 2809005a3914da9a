"""The machine that a benchmark ran on, as far as its numbers depend on it."""

import importlib.metadata
import os
import platform
from pathlib import Path

import psutil
from pydantic import BaseModel, ConfigDict

from course import kit
from course.site.stamp import git

# The kernel's flags and their names, the fastest for inference first. VNNI multiplies and adds int8 in one instruction.
WIDEST = {
    "amx_int8": "AMX",
    "avx512_vnni": "AVX-512 VNNI",
    "avx_vnni": "AVX-VNNI",
    "avx512f": "AVX-512",
    "avx2": "AVX2",
    "i8mm": "int8 matrix instructions",
    "asimddp": "int8 dot products",
}
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
        cpu=processor(_about_processor()),
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


def _about_processor() -> str:
    about = Path("/proc/cpuinfo")
    return about.read_text() if about.exists() else ""


def processor(about: str) -> str:
    """The processor's name, and the widest of its vector instructions: rented machines of one name differ in them.

    Args:
        about: as Linux tells it in /proc/cpuinfo; empty elsewhere.
    """
    told = dict(line.split(":", 1) for line in reversed(about.splitlines()) if ":" in line)
    told = {name.strip(): value.strip() for name, value in told.items()}
    flags = told.get("flags", told.get("Features", "")).split()
    widest = next((name for flag, name in WIDEST.items() if flag in flags), None)
    return " with ".join(filter(None, (told.get("model name") or platform.machine(), widest)))
