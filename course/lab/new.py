"""``course lab new``: a lab's folder from the template, which builds and grades as it is."""

import re
import shutil
import tempfile
from importlib import resources
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from course import kit
from course.errors import CourseError
from course.lab.source import Lab, read_lab

NAME = re.compile(r"lab(?P<number>\d\d)-(?P<subject>[a-z0-9]+(?:-[a-z0-9]+)*)")


def new_lab(name: str) -> Lab:
    """Create ``labs/<name>`` from the template and read it back.

    Args:
        name: ``labNN-subject``, such as ``lab02-speech-features``.

    Raises:
        CourseError: the name has another form, or the number or the folder is taken.
    """
    match = NAME.fullmatch(name)
    if not match:
        raise CourseError(f"{name!r} is no name for a lab; expected labNN-subject, such as lab02-speech-features.")
    labs = kit.root() / "labs"
    taken = sorted(labs.glob(f"lab{match['number']}-*"))
    if taken:
        raise CourseError(f"The number {match['number']} is taken by {taken[0].name}; choose another one.")
    words = match["subject"].replace("-", " ").capitalize()
    _fill(labs / name, title=f"Lab {int(match['number'])}: {words}", lecture=f"{match['number']}-{match['subject']}")
    return read_lab(labs / name)


def _fill(folder: Path, **values: str) -> None:
    """Copy the template, put the values into its pages, and give the folder its name when it is complete."""
    pages = Environment(
        variable_start_string="[[", variable_end_string="]]", undefined=StrictUndefined, keep_trailing_newline=True
    )
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as temporary:
        made = Path(temporary) / folder.name
        with resources.as_file(resources.files("course.lab") / "template") as template:
            shutil.copytree(template, made, ignore=shutil.ignore_patterns("__pycache__"))
        for page in made.glob("*.md"):
            text = pages.from_string(page.read_text(encoding="utf-8")).render(values)
            page.write_text(text, encoding="utf-8")
        made.rename(folder)
