"""``course class``: a graded class as a file for the LMS, its pages made again, alike submissions, an audit."""

import sys
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from course.errors import CourseError

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)


@click.group("class")
def class_group():
    """Work with a graded class."""


@class_group.command()
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--layout", type=click.Choice(["canvas", "moodle", "plain"]), required=True, help="Whose columns.")
@click.option("--lms", type=FILE, help="A CSV file that Canvas or Moodle exported; its rows and other columns stay.")
@click.option("--lab", "labs", multiple=True, help="A lab's id; all labs if not given. May be repeated.")
@click.option("--column", "columns", multiple=True, metavar="LAB=NAME", help="The column of a lab in the LMS's file.")
@click.option("-o", "--output", type=FILE, required=True, help="The CSV file to write.")
def export(folder, layout, lms, labs, columns, output):
    """Write the grades of the class in DIR as a CSV file for import.

    Scores are as nbgrader's gradebook has them: automatic and manual points less late penalties. Without --lms the
    students' ids stand in the column SIS Login ID (Canvas) or Username (Moodle).
    """
    from autograder.pages import lms_export

    if lms is not None and layout == "plain":
        raise click.UsageError("--lms goes with --layout canvas or moodle; the plain layout has columns of its own.")
    named = dict(_named_column(one) for one in columns)
    grades = lms_export.read_grades(folder, labs)
    sheet_labs = {one.lab for one in grades}
    if unknown := sorted(named.keys() - sheet_labs):
        raise CourseError(
            f"--column names {', '.join(unknown)}; the labs with grades are {', '.join(sorted(sheet_labs))}."
        )
    text, notes = lms_export.export(grades, layout, lms, named)
    lms_export.write_export(output, text)
    for note in [*notes, f"{len(grades)} grades: {output}"]:
        click.echo(note)


@class_group.command()
@click.argument("folder", metavar="DIR", type=FOLDER)
def pages(folder):
    """Make all pages of the class in DIR again, from the results that are there; nothing is graded."""
    from autograder.pages.class_pages import remake_pages

    results, missing = remake_pages(folder)
    for sentence in missing:
        click.echo(sentence)
    click.echo(f"{results} feedback pages, and {folder / 'summary.html'}")


@class_group.command()
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--lab", required=True, help="The lab's id, or the beginning of it.")
def similar(folder, lab):
    """List submissions that are more alike than the class makes likely: leads to look at, never verdicts."""
    from autograder.pages.class_pages import similar_in

    lab_id, found, page = similar_in(folder, lab)
    console = Console()
    if found.limit is None:
        click.echo(f"{found.compared} submissions to {lab_id} have code of their own; too few to say what is unusual.")
        return
    table = Table(title=f"{lab_id}: {found.compared} submissions compared", title_justify="left")
    for column in ("Two students", "In common", "Usual for them"):
        table.add_column(column, justify="left" if column == "Two students" else "right")
    for pair in found.pairs:
        table.add_row(escape(f"{pair.left}, {pair.right}"), f"{pair.common:.0%}", f"{pair.usual:.0%}")
    console.print(table)
    console.print(f"A lead to look at, never a verdict. Side by side: {escape(str(page))}", soft_wrap=True)


@class_group.command()
@click.argument("folder", metavar="DIR", type=FOLDER)
def audit(folder):
    """Compare results, ledger and gradebook of the class in DIR; exit status 1 if they disagree."""
    from autograder.records.consistency import audit as differences

    found = differences(folder)
    for sentence in found:
        click.echo(sentence)
    if found:
        sys.exit(1)
    click.echo("Results, ledger and gradebook agree.")


def _named_column(text: str) -> tuple[str, str]:
    lab, equals, name = text.partition("=")
    if not equals or not lab or not name:
        raise click.UsageError(f"--column {text}: expected LAB=NAME, such as lab01-sound-as-numbers='Lab 1 (123)'.")
    return lab, name
