"""What a lab's code may import while a submission is graded: the environment less what the lab withholds.

A lab names the packages that its tasks re-build (``without``); their folders are hidden. Of the kit's own library a
submission gets the modules that the lab's locked cells import and what those import, because a module that a
lecture promoted (``course.filters``) is the answer to a task.
"""

import ast
import functools
import hashlib
import importlib.metadata
import importlib.util
import sysconfig
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from IPython.core.inputtransformer2 import TransformerManager

import course
from course.lab.cells import Role
from course.lab.source import Lab

COURSE = Path(course.__file__).parent
DISTRIBUTION = "from-waveform-to-cloud"


@dataclass(frozen=True)
class Supplies:
    """What the sandbox shows and hides.

    Attributes:
        modules: files of the kit's library that exist in the sandbox.
        withheld: the library's other files; importing one tells why it is not there.
        without: names of the packages that the lab withholds; importing one tells the same.
        hidden: files and folders of the environment behind those names.
        imports: absolute names that the lab's locked cells import, to be imported before a submission comes.
    """

    modules: tuple[Path, ...]
    withheld: tuple[Path, ...]
    without: tuple[str, ...]
    hidden: tuple[Path, ...]
    imports: tuple[str, ...] = ()

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 of what is shown, what is hidden and what is imported."""
        hasher = hashlib.sha256()
        for module in self.modules:
            hasher.update(f"{module.relative_to(COURSE)}\0".encode() + module.read_bytes())
        for path in (*self.without, *self.hidden, *self.imports):
            hasher.update(f"\0{path}".encode())
        return hasher.hexdigest()


def lab_supplies(lab: Lab) -> Supplies:
    """The supplies of a lab, by the code of its locked cells and what its front matter withholds."""
    return supplies_of([cell.source for cell in lab.cells if cell.role is Role.SETUP], lab.without)


def supplies_of(sources: Iterable[str], without: Sequence[str]) -> Supplies:
    """The supplies of a lab.

    Args:
        sources: the code of the lab's locked cells.
        without: names of the packages that the lab withholds.
    """
    imports = {name for source in sources for name in _imports(_plain_python(source), "")}
    modules = _closure(imports)
    everything = {file for file in COURSE.rglob("*.py") if (file.parent / "__init__.py").is_file()}
    hidden = {path for name in (*without, DISTRIBUTION) for path in _installed(name)}
    return Supplies(
        modules=tuple(sorted(modules)),
        withheld=tuple(sorted(everything - modules)),
        without=tuple(sorted(without)),
        hidden=tuple(sorted(hidden)),
        imports=tuple(sorted(imports)),
    )


def _plain_python(source: str) -> str:
    """A cell's code with IPython's magics turned into calls."""
    return TransformerManager().transform_cell(source)


def _imports(source: str, package: str) -> Iterator[str]:
    """The absolute names that ``source``, a module of ``package``, imports; with ``from a import b`` also a.b."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _closure(names: Iterable[str]) -> set[Path]:
    """The files of ``course`` behind the names, and behind what those files import."""
    waiting, files = list(names), set()
    while waiting:
        for file, package in _files_of(waiting.pop()):
            if file not in files:
                files.add(file)
                waiting.extend(_imports(file.read_text(), package))
    return files


def _files_of(name: str) -> Iterator[tuple[Path, str]]:
    """The packages on the way to a module of ``course`` and the module itself, each with the package it is in."""
    parts = name.split(".")
    if parts[0] != course.__name__:
        return
    for count in range(1, len(parts) + 1):
        stem = COURSE.joinpath(*parts[1:count])
        if (stem / "__init__.py").is_file():
            yield stem / "__init__.py", ".".join(parts[:count])
        elif stem.with_suffix(".py").is_file():
            yield stem.with_suffix(".py"), ".".join(parts[: count - 1])


@functools.cache
def installed_distributions() -> tuple[importlib.metadata.Distribution, ...]:
    """The distributions of the environment; the current folder may hold metadata of its own, which does not count."""
    folders = dict.fromkeys(sysconfig.get_path(key) for key in ("purelib", "platlib"))
    return tuple(importlib.metadata.distributions(path=list(folders)))


def _installed(name: str) -> set[Path]:
    """The top-level files and folders of the distribution called ``name``, or that provides ``import name``."""
    return {path for names, paths in _contents() if name in names for path in paths if path.exists()}


@functools.cache
def _contents() -> list[tuple[set[str], set[Path]]]:
    """For each distribution its name with the names that it lets one import, and its top-level files and folders."""
    contents = []
    for distribution in installed_distributions():
        record = distribution.read_text("RECORD") or ""
        tops = {line.partition("/")[0].partition(",")[0] for line in record.splitlines()} - {"..", "__pycache__", ""}
        names = {distribution.metadata["Name"], *(top.removesuffix(".py") for top in tops)}
        contents.append((names, {Path(distribution.locate_file(top)) for top in tops}))
    return contents
