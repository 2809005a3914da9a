"""``course up``: everything that a fresh clone should end with; ``course down`` ends what it left running."""

from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from course.command import background
from course.errors import shown
from course.kit import build_dir

# A step of a room prepares its part with its own progress on the console and says where the results are.
Step = Callable[[Console], list[tuple[str, Path]]]


def steps() -> list[tuple[str, Step]]:
    """The rooms' steps, in order: entry points of the group ``course.up``, named like "1 labs"."""
    points = sorted(entry_points(group="course.up"), key=lambda point: point.name)
    return [(point.name.split("-", 1)[1].replace("-", " "), point.load()) for point in points]


def record() -> Path:
    """The file that remembers the background server."""
    return build_dir() / "serving.json"


@click.command()
@click.option("--port", default=8000, show_default=True, help="Port of the site on loopback; the next free one if taken.")
def up(port: int):
    """Build the site, release the labs, grade the demo class, serve the site on loopback.

    A second run does only what changed. The site stays served after the command ends; `course down` ends that.
    """
    console = Console()
    places = []
    rooms = steps()
    for number, (name, step) in enumerate(rooms, start=1):
        console.rule(f"{number}/{len(rooms) + 1} {name}", align="left")
        places += step(console)
    console.rule(f"{len(rooms) + 1}/{len(rooms) + 1} serving", align="left")
    server = background.start(record(), port)
    console.print(_summary(server, places))
    console.print("The site is served until `course down`.", highlight=False)


def _summary(server: background.Server, places: list[tuple[str, Path]]) -> Table:
    table = Table(show_header=False, box=None)
    table.add_row("site", server.address)
    for name, path in places:
        table.add_row(name, shown(path))
    return table


@click.command()
def down():
    """End the server that `course up` left running."""
    server = background.stop(record())
    click.echo(f"The server on {server.address} has ended." if server else "No server of `course up` is running.")
