"""``course lab``: list and create labs, write their notebooks, run the visible checks on an intern's file."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from course import kit
from course.command.rooms import Rooms
from course.errors import CourseError, shown

if TYPE_CHECKING:
    from course.lab.attempt import Attempt, Outcome
    from course.lab.source import Lab

COLOURS = {"right": "green", "not yet": "yellow", "unsolved": "bright_black"}


@click.group(cls=Rooms, rooms="course.lab")
def lab() -> None:
    """Labs: list, create, release, solve, check."""


@lab.command("list")
def list_labs() -> None:
    """Show every lab: hours, points, tasks, wrong solutions; exit status 1 if a lab has a mistake."""
    from course.lab.source import lab_folders, read_lab

    table = Table(Column("Lab", no_wrap=True), "Title", "Hours", "Points", "Tasks", "Wrong", box=box.SIMPLE)
    mistakes = []
    for folder in lab_folders():
        try:
            table.add_row(*_row(read_lab(folder)))
        except CourseError as error:
            table.add_row(folder.name, "[red]has a mistake[/]")
            mistakes.append(error)
    Console().print(table)
    for error in mistakes:
        Console(stderr=True).print(f"[bold red]course:[/] {escape(str(error))}", soft_wrap=True, highlight=False)
    sys.exit(1 if mistakes else 0)


@lab.command()
@click.argument("name")
def new(name: str) -> None:
    """Create labs/NAME from the template; NAME is labNN-subject."""
    from course.lab.new import new_lab

    made = new_lab(name)
    click.echo(
        f"Created {shown(made.folder)}, a lab of {made.points} points that builds and grades as it is. Next:\n"
        f"  1. write the tasks in {shown(made.path)}; each has a solution, a visible check and a fallback\n"
        f"  2. write an oracle and hidden checks for each in {shown(made.checks.path)}\n"
        f"  3. write three wrong solutions for each in {shown(made.folder / 'wrong')}\n"
        f"  4. write {shown(made.folder / 'instructor.md')}: time, common failures, rubric\n"
        f"  5. run: course lab list, then course lab release {made.id}"
    )


@lab.command()
@click.argument("name", metavar="LAB")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The .ipynb file to write.")
def release(name: str, output: Path | None) -> None:
    """Write the notebook that interns get, after a scan that nothing hidden is in it."""
    from course.lab.build import release_notebook, write_notebook
    from course.lab.source import find_lab

    found = find_lab(name)
    path = _output(output, f"{found.id}.ipynb", found)
    write_notebook(release_notebook(found), path)
    click.echo(f"{shown(path)}: {found.points} points, tasks {', '.join(found.task_ids)}; nothing hidden left")


@lab.command()
@click.argument("name", metavar="LAB")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The .ipynb file to write.")
def solution(name: str, output: Path | None) -> None:
    """Write the reference notebook: solutions, sample answers and notes for the instructor."""
    from course.lab.build import solution_notebook, write_notebook
    from course.lab.source import find_lab

    found = find_lab(name)
    path = _output(output, f"{found.id}-solution.ipynb", found)
    write_notebook(solution_notebook(found), path)
    click.echo(f"{shown(path)}: the solution of {found.id}, not for interns")


@lab.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--lab", "name", help="The lab, where the notebook does not say it.")
@click.option("--seconds", default=30.0, show_default=True, help="Limit of each cell.")
def check(file: Path, name: str | None, seconds: float) -> None:
    """Run the visible checks on your notebook FILE.

    The code in FILE runs on this machine as it would in JupyterLab: use it on your own file, and `course grade` on
    other people's. Exit status 0 if every visible check is right, 1 otherwise.
    """
    from course.lab.attempt import read_attempt, run_visible_checks
    from course.lab.visible import RIGHT

    attempt = read_attempt(file, name)
    with Console(stderr=True).status(f"Running the visible checks of {attempt.lab.id}"):
        outcome = run_visible_checks(attempt, seconds)
    _print_outcome(attempt, outcome)
    sys.exit(0 if all(finding.state == RIGHT for finding in outcome.findings) else 1)


def _row(read: "Lab") -> tuple[str, ...]:
    tasks = len(read.tasks) + len(read.manual)
    return read.id, escape(read.title), f"{read.hours:g}", str(read.points), str(tasks), str(len(read.wrong))


def _output(given: Path | None, name: str, read: "Lab") -> Path:
    if given is None:
        return kit.build_dir() / "labs" / read.id / name
    if given.is_dir():
        return given / name
    if given.suffix != ".ipynb":
        raise CourseError(f"{given} is no name for a notebook; end it in .ipynb.")
    return given


def _print_outcome(attempt: "Attempt", outcome: "Outcome") -> None:
    console = Console()
    table = Table("Task", "State", "Points", "What the check says", title=f"{attempt.lab.id}: visible checks")
    for task, finding in zip(attempt.lab.tasks, outcome.findings, strict=True):
        state = f"[{COLOURS[finding.state]}]{finding.state}[/]"
        table.add_row(task.id, state, f"up to {task.points}", escape(finding.sentence))
    for question in attempt.lab.manual:
        state = "answered" if attempt.answered(question.id) else "unanswered"
        table.add_row(question.id, state, f"up to {question.points}", "A person grades this answer.")
    console.print(table)
    for note in outcome.notes:
        console.print(escape(note))
    right = sum(finding.state == "right" for finding in outcome.findings)
    console.print(
        f"{right} of {len(outcome.findings)} tasks are right by their visible checks. The points come from the hidden "
        "checks, which look at more."
    )
