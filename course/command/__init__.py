"""The ``course`` command: each subcommand belongs to the room that declares it.

A room joins by an entry point of the group ``course.commands`` in pyproject.toml, so that the command imports a
room only when it is asked for it, and ``course`` never imports ``autograder``.
"""

import os
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape

from course import __version__
from course.command.rooms import Rooms
from course.errors import CourseError


@click.group(cls=Rooms, rooms="course.commands", context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="course")
def course():
    """From Waveform to Cloud: build the site, release the labs, grade the class."""


def main() -> None:
    """Run the command; a CourseError ends it with its sentence and exit status 1, never with a traceback."""
    # Programs of the environment (node, alembic for nbgrader's database) are found also where it is not activated.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    try:
        course(prog_name="course")
    except CourseError as error:
        Console(stderr=True).print(f"[bold red]course:[/] {escape(str(error))}", soft_wrap=True, highlight=False)
        sys.exit(1)
