"""``course site`` and ``course lecture``. What a subcommand needs is imported when it runs."""

from pathlib import Path

import click
from rich.console import Console


@click.group()
def site():
    """Build, serve and check the course site."""


@site.command()
@click.option("--force", is_flag=True, help="Build even if nothing changed.")
@click.option("--quick", is_flag=True, help="Measure a smaller ladder, in three minutes, where none is there yet.")
def build(force: bool, quick: bool):
    """Execute the lectures and write the site to build/site; a second run does only what changed."""
    from course.site.build import build_site

    console = Console(stderr=True)
    built = build_site(console, force, quick)
    what = "built" if built.changed else "unchanged"
    console.print(f"Site {what} in {built.seconds:.1f} s: {built.folder}", highlight=False, soft_wrap=True)


@site.command()
@click.option("--port", default=8000, show_default=True, help="Port on 127.0.0.1.")
def serve(port: int):
    """Serve build/site on loopback until interrupted."""
    from course.kit import build_dir
    from course.site.serve import open_server

    with open_server(build_dir() / "site", port) as server:
        click.echo(f"http://127.0.0.1:{server.server_port}/  (Ctrl-C ends it)")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            click.echo("Ended.")


@site.command()
@click.option("--only", help="Names of checks, separated by commas; all of them by default.")
@click.option(
    "--screenshots", type=click.Path(file_okay=False, path_type=Path), help="Folder for pictures of the site."
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def check(only: str | None, screenshots: Path | None, as_json: bool):
    """Check build/site: links, requests, accessibility, weight, Lighthouse, spelling."""
    from course.kit import build_dir
    from course.site.checks import check_site

    chosen = only.split(",") if only else None
    with Console(stderr=True).status("Checking the site") as status:

        def tell(step: str) -> None:
            status.update(f"Checking: {step}")

        report = check_site(build_dir() / "site", only=chosen, screenshots=screenshots, progress=tell)
    if as_json:
        click.echo(report.model_dump_json(indent=2))
    else:
        report.print(Console())
    if not report.passed:
        raise SystemExit(1)


@site.command()
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="build/course.pdf if not given.")
def pdf(output: Path | None):
    """Print build/site as one PDF: tagged, with bookmarks, links inside it and a table of contents."""
    from course.kit import build_dir
    from course.site.pdf import print_site

    file = output or build_dir() / "course.pdf"
    with Console(stderr=True).status("Printing the site twice; the first print counts pages"):
        pages = print_site(build_dir() / "site", file)
    click.echo(f"{file}: {pages} pages")


@click.group()
def lecture():
    """Start a new lecture."""


@lecture.command()
@click.argument("name")
def new(name: str):
    """Create notebooks/NAME from the template and add it to the table of contents; NAME is NN-subject."""
    from course.errors import shown
    from course.site.new import new_lecture

    path = new_lecture(name)
    click.echo(f"{shown(path)} is ready; see it with `course site build` and `course site serve`.")
