"""``python -m course.finetuning``: the longer run of Lecture 9, each way of speaking held out once."""

from pathlib import Path

import click
import torch

from course import kit


@click.command()
@click.option("--calls", type=click.IntRange(min=20), default=400, show_default=True, help="Made-up calls.")
@click.option("--turns", type=click.IntRange(min=100), help="At most so many turns of them; all, if not given.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="build/six-families.json")
def main(calls: int, turns: int | None, output: Path | None):
    """Train on five ways of speaking and test on the sixth, six times; some ten minutes of one processor core."""
    from course.finetuning.six_families import six_families, write_record

    torch.set_num_threads(1)
    path = output or kit.build_dir() / "six-families.json"
    record = six_families(calls, turns, click.echo)
    write_record(record, path)
    click.echo(f"{record['cpu_seconds']} CPU-seconds; {path}")


if __name__ == "__main__":
    main()
