"""A class folder in nbgrader's layout: find what was handed in, grade what is new, and tell everybody.

``submitted/<student>/<lab>/<lab>.ipynb`` is read; ``results``, ``gradebook.db``, ``ledger.jsonl``, ``autograded``,
``feedback`` and ``summary.html`` are written. Whatever is already there is not made again, so that a run that was
interrupted goes on where it stopped, and a second run does nothing.
"""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from filelock import FileLock, Timeout
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from autograder.class_folder import COURSE_ID, set_up
from autograder.collection import Handed, collect, kept_submissions
from autograder.feedback import write_class_pages
from autograder.gradebook import ClassGradebook
from autograder.grading import Assignment, rejection
from autograder.intake import canonical, graded_notebook, parse
from autograder.policy import Policy
from autograder.result import Result, Status
from autograder.sandbox import Bubblewrap, Trusted
from autograder.workers import Job, grade_all
from course.errors import CourseError
from course.lab.source import Lab, all_labs
from course.storage import write_atomic


@dataclass
class ClassReport:
    """What a run over a class did: all results, and how many of them are new."""

    results: list[Result] = field(default_factory=list)
    graded: int = 0
    strangers: list[str] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether the grading itself failed for somebody."""
        return any(result.status is Status.INFRASTRUCTURE for result in self.results)


def grade_class(
    root: Path,
    runner: Bubblewrap | Trusted,
    jobs: int,
    labs: Sequence[Lab] | None = None,
    console: Console | None = None,
) -> ClassReport:
    """Grade what was handed in in the class folder ``root`` and is not graded yet; then bring all pages up to date.

    Args:
        root: the class folder.
        runner: makes the sandboxes.
        jobs: how many submissions to grade at once.
        labs: the labs to grade; all of the kit's if not given.
        console: where to show progress and scores; the terminal if not given.

    Raises:
        CourseError: there is no such folder, or another grader is at work in it.
    """
    root, console = Path(root).resolve(), console or Console()
    if not (root / "submitted").is_dir():
        raise CourseError(
            f"{root} has no folder `submitted`; a class keeps submissions in submitted/STUDENT/LAB/LAB.ipynb."
        )
    with _only_one_grader(root):
        assignments = {lab.id: Assignment.of(lab, Policy(), runner) for lab in labs or all_labs()}
        report = ClassReport()
        handed = list(collect(root, assignments, report.strangers))
        set_up(root, (assignments[lab] for lab in sorted({one.lab for one in handed})))
        _grade_new(root, assignments, handed, jobs, report, console)
        _tell(root, assignments, handed, report)
    _show(report, console)
    return report


@contextlib.contextmanager
def _only_one_grader(root: Path) -> Iterator[None]:
    try:
        with FileLock(root / ".grading.lock", timeout=0):
            yield
    except Timeout as error:
        raise CourseError(f"Another `course grade` is at work in {root}; wait until it is done.") from error


def _grade_new(
    root: Path,
    assignments: dict[str, Assignment],
    handed: list[Handed],
    jobs: int,
    report: ClassReport,
    console: Console,
) -> None:
    """Fill the report with a result for everything handed in, grading what has none."""
    waiting = []
    for one in handed:
        known = _known(root, assignments[one.lab], one)
        report.results += [known] if known else []
        waiting += [] if known else [one]
    todo = (_job(root, assignments[one.lab], one) for one in waiting)
    with _progress(console) as progress:
        bar = progress.add_task("Grading", total=len(handed), completed=len(report.results))
        for job, result in grade_all(todo, jobs):
            result.write(_result_path(root, result))
            report.results.append(result)
            report.graded += 1
            progress.update(bar, advance=1, description=f"Grading (last: {escape(job.student)})", refresh=True)
    report.results.sort(key=lambda result: (result.lab, result.student))


def _progress(console: Console) -> Progress:
    # Refreshed by hand: a thread that draws would be in the way of forking.
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, auto_refresh=False)


def _known(root: Path, assignment: Assignment, handed: Handed) -> Result | None:
    """The result that is there already; for a rejected submission it is made here, without a sandbox."""
    if handed.rejected:
        return rejection(assignment, handed.student, handed.rejected, None)
    path = _path(root, handed.lab, handed.student, assignment.key(handed.student, handed.submission))
    with contextlib.suppress(FileNotFoundError, ValueError):
        result = Result.read(path)
        return result if result.status is not Status.INFRASTRUCTURE else None
    return None


def _job(root: Path, assignment: Assignment, handed: Handed) -> Job:
    content = (kept_submissions(root) / f"{handed.submission}.ipynb").read_bytes()
    return Job(assignment, handed.student, content, handed.notes)


def _result_path(root: Path, result: Result) -> Path:
    return _path(root, result.lab, result.student, result.key)


def _path(root: Path, lab: str, student: str, key: str) -> Path:
    return root / "results" / lab / student / f"{key}.json"


def _tell(root: Path, assignments: dict[str, Assignment], handed: list[Handed], report: ClassReport) -> None:
    """Bring gradebook, formgrader's notebooks and the pages that people read up to date."""
    gradebook = ClassGradebook(root, COURSE_ID)
    by_hand = {}
    for lab_id, assignment in assignments.items():
        results = [result for result in report.results if result.lab == lab_id]
        stamps = {one.student: one.timestamp for one in handed if one.lab == lab_id and one.timestamp}
        for result in gradebook.apply(assignment, results, stamps):
            _write_graded_notebook(root, assignment, result)
        by_hand[lab_id] = gradebook.by_hand(assignment) if results else {}
    write_class_pages(root, report.results, by_hand, report.strangers)


def _write_graded_notebook(root: Path, assignment: Assignment, result: Result) -> None:
    """The notebook that formgrader shows to the person who grades the question."""
    if result.status in (Status.MALFORMED, Status.REFUSED):
        return
    content = (kept_submissions(root) / f"{result.submission}.ipynb").read_bytes()
    submission = canonical(parse(content), result.lab, assignment.released)
    path = root / "autograded" / result.student / result.lab / f"{result.lab}.ipynb"
    write_atomic(path, nbformat.writes(graded_notebook(submission, assignment.release)) + "\n")


def _show(report: ClassReport, console: Console) -> None:
    """Print scores, statuses and seconds, then what is special about some submissions."""
    for lab in dict.fromkeys(result.lab for result in report.results):
        table = Table(title=lab, title_justify="left")
        for column in ("Student", "Score", "Status", "Seconds"):
            table.add_column(column, justify="right" if column in ("Score", "Seconds") else "left")
        for result in (result for result in report.results if result.lab == lab):
            score = f"{result.score} / {result.max_score}"
            table.add_row(escape(result.student), score, result.status, f"{result.seconds:.1f}")
        console.print(table)
    for result in report.results:
        for sentence in (result.sentence,) * (result.status is not Status.GRADED) + result.notes:
            console.print(f"{escape(result.student)}: {escape(sentence)}", soft_wrap=True)
    for stranger in report.strangers:
        console.print(escape(stranger), soft_wrap=True)
    console.print(f"{report.graded} graded now, {len(report.results) - report.graded} were there already.")
