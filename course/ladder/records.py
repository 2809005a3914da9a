"""Records of the ladder: one file for each system, held-out set, condition and size, whole or not there.

A record names the key of what it was measured with: the code behind the system, its weights, the versions of its
packages, the corpus, and the recordings. It counts only while its key is that of the present kit.
"""

import ast
import hashlib
import inspect
import json
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files as package_files
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from course.bench.machine import Machine
from course.kit import build_dir
from course.ladder.heldout import SIZES, HeldOut, is_recorded, recording_names
from course.ladder.systems import SYSTEMS, System
from course.storage import write_atomic

SCHEMA = 1
# They deliver files of known SHA-256 and sentences for people; the manifests count by themselves.
NOT_FOLLOWED = ("course.data", "course.models", "course.registry", "course.errors")
MEASURING = ("course.ladder.measure", "course.channels", "course.recordings", "course.scoring")


class Strict(BaseModel):
    """A part of a record: fixed fields, never changed after it is made."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Utterance(Strict):
    """One recording: what was said, what was recognised, and what that costs."""

    name: str
    said: str
    heard: str
    errors: int = Field(ge=0)
    words: int = Field(ge=1)

    @model_validator(mode="after")
    def _counts_the_words(self) -> "Utterance":
        if self.words != len(self.said.split()):
            raise ValueError(f"{self.name}: {self.words} words were counted in {self.said!r}.")
        return self


class Cell(Strict):
    """How one system did on one held-out set in one condition.

    ``cpu_seconds`` and ``wall_seconds`` are those of recognising all utterances, one after the other, with one thread,
    after a first one that is not counted. ``peak_rss_bytes`` is the most memory that the process held from its start
    on, with the interpreter, the libraries and, for a system that is trained in the build, its training.
    """

    schema_version: Literal[SCHEMA] = SCHEMA
    system: str
    heldout: str
    condition: str
    size: Literal[SIZES]
    key: str
    recorded: bool = Field(description="whether the speech is a person's; else espeak-ng spoke it")
    utterances: tuple[Utterance, ...] = Field(min_length=1)
    audio_seconds: float = Field(gt=0)
    cpu_seconds: float = Field(ge=0)
    wall_seconds: float = Field(gt=0)
    peak_rss_bytes: int = Field(gt=0)
    n_parameters: int = Field(ge=0)
    train_seconds: float | None
    made: datetime
    machine: Machine

    @property
    def errors(self) -> list[int]:
        """Errors in each utterance."""
        return [utterance.errors for utterance in self.utterances]

    @property
    def words(self) -> list[int]:
        """Words of each utterance."""
        return [utterance.words for utterance in self.utterances]

    @property
    def rate(self) -> float:
        """The word error rate."""
        return sum(self.errors) / sum(self.words)

    @property
    def real_time_factor(self) -> float:
        """CPU seconds for each second of sound."""
        return self.cpu_seconds / self.audio_seconds


def ladder_folder() -> Path:
    """Where records are kept."""
    return build_dir() / "ladder"


def cell_path(system: System, heldout: HeldOut, condition: str, size: str) -> Path:
    """The file of a cell, present or not."""
    return ladder_folder() / size / system.id / f"{heldout.id} {condition}.json"


def is_measured(system: System, heldout: HeldOut, condition: str, size: str) -> bool:
    """Whether the cell belongs to what is measured in this size."""
    return heldout in system.sets and heldout.amounts.of(size, condition, system.slow) > 0


def write_cell(cell: Cell, path: Path) -> None:
    """Store a record so that a reader finds all of it or nothing."""
    write_atomic(path, cell.model_dump_json(indent=1) + "\n")


def read_cell(system: System, heldout: HeldOut, condition: str, size: str) -> Cell | None:
    """The record of a cell if there is one that the present code and data would make again."""
    if not is_measured(system, heldout, condition, size):
        return None
    try:
        cell = Cell.model_validate_json(cell_path(system, heldout, condition, size).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
    return cell if cell.key == cell_key(system, heldout, condition, size) else None


def cell_key(system: System, heldout: HeldOut, condition: str, size: str) -> str:
    """A hash of everything that the words in a cell follow from."""
    corpora = (heldout.corpus, "kitchen-noise")
    facts = [
        SCHEMA,
        fingerprint(system),
        heldout.id,
        recording_names(heldout, heldout.amounts.of(size, condition, system.slow), size),
        condition,
        [(name, is_recorded(name), _manifests(name)) for name in corpora],
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


@cache
def fingerprint(system: System) -> str:
    """A hash of the code, the weights and the package versions that a system is made from, and of the measuring."""
    digest = hashlib.sha256(inspect.getsource(system.make).encode())
    for path in [*source_files([*system.modules, *MEASURING]), *_data_files(system)]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    for package in system.packages:
        digest.update(f"{package} {_version(package)}\n".encode())
    return digest.hexdigest()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def _data_files(system: System) -> list[Path]:
    return sorted(path for pattern in system.data for path in Path(str(package_files("course"))).glob(pattern))


@cache
def _manifests(corpus: str) -> str:
    folder = Path(str(package_files("course"))) / "manifests"
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(folder.glob(f"{corpus}.t*")))).hexdigest()


def source_files(modules: Iterable[str]) -> list[Path]:
    """Files of modules of `course` and of those of `course` that they import, directly or not.

    The ladder's own modules, from which every system can be reached, count only where they are among ``modules``.
    """
    queue, found = list(modules), set()
    given = set(queue)
    while queue:
        name = queue.pop()
        if name not in given and (name.startswith("course.ladder") or name in NOT_FOLLOWED):
            continue
        for path in _files_of(name) - found:
            found.add(path)
            queue += _imports(path)
    return sorted(found)


def _files_of(module: str) -> set[Path]:
    """The file of a module and those of the packages around it, below `course` itself."""
    top = Path(str(package_files("course"))).parent
    parts = module.split(".")
    packages = [top.joinpath(*parts[:depth], "__init__.py") for depth in range(2, len(parts) + 1)]
    return {path for path in (*packages, top.joinpath(*parts).with_suffix(".py")) if path.is_file()}


def _imports(path: Path) -> list[str]:
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return [name for name in names if name.split(".")[0] == "course"]


def ladder_digest() -> str:
    """A hash of all records that count now: a page that shows them is made again when it changes."""
    digest = hashlib.sha256()
    for size in SIZES:
        for system in SYSTEMS:
            for heldout in system.sets:
                for path in sorted(cell_path(system, heldout, "*", size).parent.glob(f"{heldout.id} *.json")):
                    condition = path.stem.removeprefix(f"{heldout.id} ")
                    digest.update(cell_key(system, heldout, condition, size).encode() + path.read_bytes())
    return digest.hexdigest()[:16]
