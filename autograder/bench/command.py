"""``course bench grading``: joins ``course bench`` by an entry point."""

import tempfile
from functools import partial
from pathlib import Path

import click
from rich.console import Console

from course.bench.options import OUTPUT, QUICK
from course.kit import build_dir


@click.command()
@OUTPUT
@QUICK
@click.option("--rounds", type=click.IntRange(min=1), help="Trials of each comparison; fewer than six judge nothing.")
@click.option("--submissions", type=click.IntRange(min=2), help="Size of the class in a comparison.")
@click.option("--largest", type=click.IntRange(min=2), help="Leave out classes that are larger.")
@click.option("--seed", type=int, help="Of the order of the trials.")
@click.option("--kills", type=click.IntRange(min=0), default=0, help="How often to kill a run and let it go on.")
@click.option("--leave-out", multiple=True, metavar="WORDS", help="Leave out trials with WORDS in their names.")
@click.option("--runners", help="Beam runners to compare afterwards, separated by commas.")
def grading(
    output: Path | None,
    quick: bool,
    kills: int = 0,
    runners: str | None = None,
    leave_out: tuple[str, ...] = (),
    **chosen: int | None,
):
    """Measure the grader against stock nbgrader, its time to a verdict, its memory and its growth.

    What is left out is not judged.
    """
    from autograder.bench import findings, plot
    from autograder.bench.classes import Bench, bench_lab
    from autograder.bench.grading import judge, settings_of, trials
    from course.bench.report import keep, measure, show

    console = Console()
    settings = settings_of(quick, **{name: value for name, value in chosen.items() if value is not None})
    with tempfile.TemporaryDirectory(prefix="course-bench-") as folder:
        bench = Bench(Path(folder), bench_lab())
        with console.status("Making the release for both graders"):
            bench.prepare()
        plan = [trial for trial in trials(bench, settings) if not any(words in trial.name for words in leave_out)]
        named = runners.split(",") if runners else []
        find = partial(findings.find, bench.lab, settings.submissions, settings.seed, kills, named)
        record = measure(
            "grading",
            plan,
            settings.seed,
            settings.model_dump(mode="json") | {"leave_out": leave_out},
            judge,
            console,
            find,
        )
    show(record, console)
    findings.show(record.findings, console)
    keep(record, plot.draw(record), output or build_dir() / "bench", console)
    raise SystemExit(0 if record.passed else 1)
