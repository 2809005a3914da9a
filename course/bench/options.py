"""The options that every benchmark's command has, so that ``course bench all`` can hand them on."""

from pathlib import Path

import click

OUTPUT = click.option(
    "-o", "--output", type=click.Path(file_okay=False, path_type=Path), help="Folder; build/bench if not given."
)
QUICK = click.option("--quick", is_flag=True, help="A few small trials: show that it works, judge nothing.")
