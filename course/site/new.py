"""A new lecture: a folder from the template, and its line in the table of contents."""

import re
import shutil
from pathlib import Path

from course.errors import CourseError
from course.kit import root
from course.storage import write_atomic

NAME = re.compile(r"^\d\d-[a-z0-9]+(-[a-z0-9]+)*$")
TEMPLATE = Path(__file__).parent / "template"
PART = re.compile(r"^( *)- title: Lectures\n\1  children:\n(?:\1 {4}.*\n)*", re.M)


def new_lecture(name: str) -> Path:
    """Create ``notebooks/NAME/`` and add it to book/myst.yml; returns the lecture's text.

    Args:
        name: two digits, a dash and a subject in lower case, as in 02-features.

    Raises:
        CourseError: the name has another form or is taken, or book/myst.yml has no part "Lectures".
    """
    if not NAME.match(name):
        raise CourseError(f"A lecture is named NN-subject in lower case, for example 02-features; got {name!r}.")
    folder, contents = root() / "notebooks" / name, root() / "book" / "myst.yml"
    if folder.exists():
        raise CourseError(f"{folder} exists already; choose another name or edit what is there.")
    text = contents.read_text()
    part = PART.search(text)
    if not part:
        raise CourseError(
            f"{contents} has no part `- title: Lectures` with `children:`; add it to the table of contents."
        )
    line = f"{part[1]}    - file: ../notebooks/{name}/lecture.md\n"
    shutil.copytree(TEMPLATE, folder)
    lecture = folder / "lecture.md"
    title = name.split("-", 1)[1].replace("-", " ").capitalize()
    write_atomic(lecture, lecture.read_text().replace("TITLE", title).replace("SLUG", name.split("-", 1)[1]))
    write_atomic(contents, text[: part.end()] + line + text[part.end() :])
    return lecture
