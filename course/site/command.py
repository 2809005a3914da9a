"""``course site`` and ``course lecture``."""

import click
from rich.console import Console


@click.group()
def site():
    """Build, serve and check the course site."""


@site.command()
@click.option("--force", is_flag=True, help="Build even if nothing changed.")
def build(force: bool):
    """Execute the lectures and write the site to build/site."""
    from course.site.build import build_site

    console = Console(stderr=True)
    built = build_site(console, force)
    what = "built" if built.changed else "unchanged"
    console.print(f"Site {what} in {built.seconds:.1f} s: {built.folder}", highlight=False, soft_wrap=True)


@click.group()
def lecture():
    """Start a new lecture."""
