"""Errors that a person reads: one sentence that says what was expected, what came and what to try."""

from pathlib import Path


class CourseError(Exception):
    """A failure with a sentence for the person at the keyboard; ``course`` prints it without a traceback."""


class SourceError(CourseError):
    """A mistake in a file that an author wrote.

    Args:
        path: the file, shown relative to the current folder where possible.
        line: the line, counted from 1, or None where the whole file is meant.
        message: what is wrong and what to do.
    """

    def __init__(self, path: Path, line: int | None, message: str):
        self.path, self.line, self.message = Path(path), line, message
        where = f"{shown(self.path)}:{line}" if line else shown(self.path)
        super().__init__(f"{where}: {message}")


def shown(path: Path) -> str:
    """The path as a person would type it: relative to the current folder if it lies below it."""
    try:
        return str(Path(path).resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
