"""Where the rooms of the kit are on this machine."""

import os
from pathlib import Path

from course.errors import CourseError

ROOT_MARKS = ("pyproject.toml", "labs", "notebooks", "book")


def root() -> Path:
    """The kit's top folder: ``COURSE_ROOT`` if set, else the checkout around the current folder or around this file.

    Raises:
        CourseError: no folder with the kit's rooms was found.
    """
    named = os.environ.get("COURSE_ROOT")
    starts = [Path(named)] if named else [Path.cwd(), Path(__file__).parent]
    for start in starts:
        for folder in (start.resolve(), *start.resolve().parents):
            if all((folder / mark).exists() for mark in ROOT_MARKS):
                return folder
    raise CourseError(
        f"The course kit was looked for in {', '.join(map(str, starts))} and not found. "
        "Run the command inside a clone of the kit, or set COURSE_ROOT to one."
    )


def build_dir() -> Path:
    """The folder for everything that is built and never committed; ``COURSE_BUILD`` moves it."""
    named = os.environ.get("COURSE_BUILD")
    return Path(named).resolve() if named else root() / "build"
