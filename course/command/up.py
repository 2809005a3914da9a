"""``course up``: everything that a fresh clone should end with; ``course down`` ends what it left running."""

from collections.abc import Callable
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path

import click
from rich.console import Console
from rich.progress import track

from course.command import background
from course.errors import shown
from course.kit import build_dir

# A step prepares its part with its own progress on the console and says where the results are.
Places = list[tuple[str, Path]]
Step = Callable[[Console], Places]


def release_labs(console: Console) -> Places:
    """Write every lab's release and solution into build/labs."""
    from course.lab.build import release_notebook, solution_notebook, write_notebook
    from course.lab.source import all_labs

    places = []
    for lab in track(all_labs(), "Labs", console=console):
        folder = build_dir() / "labs" / lab.id
        write_notebook(release_notebook(lab), folder / f"{lab.id}.ipynb")
        write_notebook(solution_notebook(lab), folder / f"{lab.id}-solution.ipynb")
        places += [
            ("lab", folder / f"{lab.id}.ipynb"),
            ("its solution", folder / f"{lab.id}-solution.ipynb"),
        ]
    return places


def build_the_site(console: Console, quick: bool) -> Places:
    """Execute the lectures and write the site into build/site, if anything changed."""
    from course.site.build import build_site

    built = build_site(console, quick=quick)
    what = f"built in {built.seconds:.0f} s" if built.changed else "unchanged"
    console.print(f"Site {what}.", highlight=False)
    return [("site's files", built.folder)]


def steps(quick: bool) -> list[tuple[str, Step]]:
    """What `course up` does, in order: the kit's own steps, then those of rooms that `course` does not import.

    Such a room joins by an entry point of the group ``course.up``.
    """
    joined = [(point.name.replace("-", " "), point.load()) for point in sorted(entry_points(group="course.up"))]
    return [("labs", release_labs), ("site", partial(build_the_site, quick=quick)), *joined]


def record() -> Path:
    """The file that remembers the background server."""
    return build_dir() / "serving.json"


@click.command()
@click.option(
    "--port", default=8000, show_default=True, help="The site's port on loopback; the next free one if taken."
)
@click.option("--quick", is_flag=True, help="A small ladder, in three minutes instead of ten, if there is none yet.")
def up(port: int, quick: bool):
    """Build the site, release the labs, grade the demo class, serve the site on loopback.

    A second run does only what changed. The site stays served after the command ends; `course down` ends that.
    """
    console = Console()
    build_dir().mkdir(parents=True, exist_ok=True)
    places = []
    plan = steps(quick)
    for number, (name, step) in enumerate(plan, start=1):
        console.rule(f"{number}/{len(plan) + 1} {name}", align="left")
        places += step(console)
    console.rule(f"{len(plan) + 1}/{len(plan) + 1} serving", align="left")
    server = background.start(record(), port)
    for name, place in [("site", server.address), *((name, shown(path)) for name, path in places)]:
        console.print(f"{name:<15} {place}", soft_wrap=True, highlight=False)
    console.print("The site is served until `course down`.", highlight=False)


@click.command()
def down():
    """End the server that `course up` left running."""
    server = background.stop(record())
    click.echo(f"The server on {server.address} has ended." if server else "No server of `course up` is running.")
