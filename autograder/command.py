"""``course grade``: one submission, or a class."""

import json
import os
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from autograder.intake import Rejected, read_bytes
from autograder.policy import Policy
from autograder.result import Result, Status
from autograder.sandbox import Bubblewrap, Trusted
from autograder.scale.engines import ENGINES
from autograder.supplies import lab_supplies
from course.lab.source import Lab, all_labs, find_lab

NOT_GRADED, FAILED = 3, 4
LOCAL = "local"


@click.command()
@click.argument("words", nargs=-1, metavar="[FILE] [-- OPTION...]")
@click.option("--lab", help="The lab: its id, or the beginning of it. FILE needs it.")
@click.option("--class", "class_folder", type=click.Path(path_type=Path), help="Grade all submissions of a class.")
@click.option("--student", default="you", show_default=True, help="Whose submission FILE is.")
@click.option("--jobs", type=click.IntRange(min=1), help="Submissions at a time in a class; one per core if not given.")
@click.option(
    "--runner",
    default="local",
    show_default=True,
    help=f"What grades a class: local, {', '.join(ENGINES)}, or the class of a Beam runner with its OPTIONs.",
)
@click.option("--store", help="Where the workers of a RUNNER find submissions and leave results; DIR if not given.")
@click.option("--json", "as_json", is_flag=True, help="Print the result of FILE as one JSON object.")
@click.option("--trust-submissions", is_flag=True, help="Run submissions without a sandbox, with all that you may do.")
def grade(words, lab, class_folder, student, jobs, runner, store, as_json, trust_submissions):
    """Grade the notebook FILE, or with --class a class folder, in a sandbox.

    A class is graded by processes of this machine, or with --runner by the workers of an engine: direct,
    multi-process and portable are Beam's own on this machine, dask starts a Dask cluster here. With the class of a
    Beam runner (FlinkRunner, DataflowRunner, DaskRunner …) its options follow after --.

    \b
    The exit status is
      0  when everything was graded, whatever the score,
      1  when grading could not start, with the reason,
      2  when the command line is wrong,
      3  when FILE ended with another status than graded,
      4  when the grading itself failed; run it again.
    """
    if class_folder is None:
        _require_plain_file(words, lab, runner, store)
    else:
        _require_engine_options(words, runner, store)
    sandbox = Trusted() if trust_submissions else Bubblewrap()
    labs = [find_lab(lab)] if lab else all_labs()
    if len(labs) == 1 and runner == LOCAL:
        # It imports the lab's libraries while this process imports nbgrader, which takes about as long.
        sandbox.begin(lab_supplies(labs[0]))
    if class_folder is None:
        sys.exit(_grade_file(labs[0], sandbox, Path(words[0]), student, as_json))
    from autograder.classroom import grade_class

    workers = jobs or len(os.sched_getaffinity(0))
    grader = _grader(class_folder.resolve(), runner, workers, store, words)
    report = grade_class(class_folder, sandbox, workers, labs, grader=grader)
    sys.exit(FAILED if report.failed else 0)


def _require_plain_file(words: tuple[str, ...], lab: str | None, runner: str, store: str | None) -> None:
    if len(words) != 1:
        raise click.UsageError("Name a notebook FILE, or a class folder with --class DIR.")
    if lab is None:
        raise click.UsageError(
            "Name the lab of the notebook with --lab, as in --lab lab02: what a notebook says of itself is not used."
        )
    if runner != LOCAL or store:
        raise click.UsageError("--runner and --store are for a class: add --class DIR.")


def _require_engine_options(words: tuple[str, ...], runner: str, store: str | None) -> None:
    if words and not words[0].startswith("-"):
        raise click.UsageError("Name a notebook FILE, or a class folder with --class DIR, not both.")
    if runner == LOCAL and (words or store):
        raise click.UsageError("--store and options after -- are for a Beam runner: add --runner NAME.")
    if runner not in (LOCAL, *ENGINES) and not runner.endswith("Runner"):
        known = ", ".join((LOCAL, *ENGINES))
        raise click.UsageError(
            f"--runner {runner}: expected {known}, or the class of a Beam runner such as FlinkRunner."
        )


def _grader(root: Path, runner: str, workers: int, store: str | None, options: tuple[str, ...]):
    """What grades the class on an engine; None for this machine's own processes."""
    if runner == LOCAL:
        return None
    from autograder.scale.grader import PipelineGrader

    return PipelineGrader(runner, workers, store or str(root), root / "pipeline.log", options)


def _grade_file(lab: Lab, sandbox: Bubblewrap | Trusted, file: Path, student: str, as_json: bool) -> int:
    from autograder.grading import Assignment, rejection
    from autograder.workers import Job, grade_all

    assignment = Assignment.of(lab, Policy.of(lab), sandbox)
    try:
        job = Job(assignment, student, read_bytes(file, assignment.policy.submission_bytes))
        ((_, result),) = grade_all([job], workers=1)
    except Rejected as rejected:
        result = rejection(assignment, student, rejected, None)
    if as_json:
        click.echo(json.dumps(result.model_dump(mode="json"), indent=2))
    else:
        _show(result, file)
    return {Status.GRADED: 0, Status.INFRASTRUCTURE: FAILED}.get(result.status, NOT_GRADED)


def _show(result: Result, file: Path) -> None:
    """Print a result for a person: a table of tasks, then what to look at."""
    console = Console()
    table = Table(title=f"{escape(file.name)}: {escape(result.lab_title)}", title_justify="left")
    for column, side in (("Task", "left"), ("Points", "right"), ("What to look at", "left")):
        table.add_column(column, justify=side)
    for task in result.tasks:
        errors = dict.fromkeys(f"It stopped with {detail.error}" for detail in task.details if detail.error)
        hints = "\n".join(map(escape, [*errors, *task.hints])) or ("right" if task.score else "")
        table.add_row(escape(task.title), f"{task.score} / {task.max_score}", hints)
    for question in result.manual:
        table.add_row(escape(question.title), f"– / {question.max_score}", "graded by a person")
    console.print(table)
    console.print(f"[bold]{result.status}[/] · {result.score} of {result.max_score} points · {result.seconds:.1f} s")
    sentences = [result.sentence] * (result.status is not Status.GRADED) + [*result.notes]
    sentences += [f"{cell.text} {cell.error or ''}" for cell in result.cells] + [result.fault] * bool(result.fault)
    for sentence in sentences:
        console.print(escape(sentence), soft_wrap=True)
    if result.environment["sandbox"] == Trusted.name:
        console.print("[yellow]Graded without a sandbox, because submissions were trusted.[/]")
