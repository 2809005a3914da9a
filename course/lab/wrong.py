"""Wrong solutions of a lab, ``wrong/<task>--<mistake>.py``: mistakes that people make, as tests of the grading."""

import ast
import re
from dataclasses import dataclass
from pathlib import Path

from course.errors import SourceError

FAILS = re.compile(r"^\s*# fails: *(?P<check>\S+)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class WrongSolution:
    """A mistake in one task: ``source`` replaces the task's solution cell, and the check ``fails`` must notice it."""

    path: Path
    task: str
    mistake: str
    fails: str
    line: int
    source: str


def read_wrong_solutions(folder: Path) -> list[WrongSolution]:
    """The wrong solutions in a lab's folder ``wrong``, in order of their names; none if there is no such folder.

    Raises:
        SourceError: a file has another name than ``<task>--<mistake>.py``, is no Python, has no docstring that names
            the mistake, or does not say ``# fails: <check>`` once.
    """
    return [_read(path) for path in sorted(folder.glob("*.py"))]


def _read(path: Path) -> WrongSolution:
    task, dashes, _ = path.stem.partition("--")
    if not dashes:
        raise SourceError(path, None, "Name the file <task>--<mistake>.py, with two hyphens after the task's id.")
    source = path.read_text(encoding="utf-8")
    try:
        docstring = ast.get_docstring(ast.parse(source))
    except SyntaxError as error:
        raise SourceError(path, error.lineno, f"This is no Python: {error.msg}.") from error
    if not docstring:
        raise SourceError(path, 1, "Begin the file with a docstring whose first line says the mistake.")
    found = list(FAILS.finditer(source))
    if len(found) != 1:
        raise SourceError(path, None, f"Write one line `# fails: <check function>`; there are {len(found)}.")
    line = source.count("\n", 0, found[0].start("check")) + 1
    return WrongSolution(path, task, docstring.splitlines()[0], found[0]["check"], line, source)
