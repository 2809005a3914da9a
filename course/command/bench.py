"""``course bench``: the kit's own benchmarks, which rooms join by entry points of the group ``course.bench``."""

from pathlib import Path

import click

from course.command.rooms import Rooms


@click.group(cls=Rooms, rooms="course.bench")
def bench():
    """Measure the kit: ratios taken in one run, to JSON and a plot in build/bench.

    \b
    The exit status is
      0  when every bar was met, or the samples were too few to judge,
      1  when a bar was missed or a trial failed,
      2  when the command line is wrong.
    """


@bench.command("all")
@click.option(
    "-o", "--output", type=click.Path(file_okay=False, path_type=Path), help="Folder; build/bench if not given."
)
@click.option("--quick", is_flag=True, help="A few small trials: shows that it works, judges nothing.")
@click.pass_context
def every(context: click.Context, output: Path | None, quick: bool):
    """Run every benchmark with its own defaults, one after the other."""
    failed = []
    for name in bench.list_commands(context):
        if name == every.name:
            continue
        try:
            context.invoke(bench.get_command(context, name), output=output, quick=quick)
        except SystemExit as ended:
            failed += [name] if ended.code else []
    if failed:
        click.echo(f"Not all is well with: {', '.join(failed)}.", err=True)
        raise SystemExit(1)
