"""A class folder in nbgrader's layout: find what was handed in, grade what is new, and tell everybody.

``submitted/<student>/<lab>/<lab>.ipynb`` is read; ``results``, ``autograded``, ``gradebook.db``, ``ledger.jsonl``,
``feedback`` and ``summary.html`` are written, in this order. Whatever is already there is not made again, so that a
run that was interrupted goes on where it stopped, and a second run does nothing.
"""

import contextlib
import errno
import hashlib
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from filelock import FileLock, Timeout
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from autograder.class_folder import COURSE_ID, set_up
from autograder.collection import Handed, collect, kept_submissions
from autograder.grading import Assignment, rejection
from autograder.nbgrader.notebook import write_autograded
from autograder.nbgrader.notes import set_aside_unreadable
from autograder.pages.feedback import write_class_pages
from autograder.policy import Policy
from autograder.records.gradebook import ClassGradebook
from autograder.records.ledger import LedgerEntry
from autograder.records.regrade import show_changes
from autograder.records.result_store import result_path, stored_result
from autograder.result import Result, Status
from autograder.sandbox import Bubblewrap, Trusted
from autograder.workers import Job, grade_all
from course.errors import CourseError
from course.lab.source import Lab, all_labs
from course.storage import PREFIX, SUFFIX, is_whole, sync_folder

Grader = Callable[[Iterable[Job]], Iterable[tuple[Job, Result]]]

WRITTEN = ("results", "autograded", "backups", "feedback", "summary", "assets", "source", "release")
LOCK, UNFINISHED = ".grading.lock", ".grading.unfinished"
# How long to wait for the processes of a grader that was just killed to let the lock go.
LOCK_SECONDS = 2.0
SHOWN = tuple(status for status in Status if status is not Status.INFRASTRUCTURE)
NO_ROOM = (
    "There is no room left on the disk of {root}. Make room, then run the same command again: "
    "what was graded is kept, and nothing is graded twice."
)


@dataclass
class ClassReport:
    """What a run over a class did: all results, how many of them are new, and what was entered in the gradebook."""

    results: list[Result] = field(default_factory=list)
    graded: int = 0
    entered: list[LedgerEntry] = field(default_factory=list)
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
    grader: Grader | None = None,
) -> ClassReport:
    """Grade what was handed in in the class folder ``root`` and is not graded yet; then bring all pages up to date.

    Args:
        root: the class folder.
        runner: makes the sandboxes.
        jobs: how many submissions to grade at once.
        labs: the labs to grade; all of the kit's if not given.
        console: where to show progress and scores; the terminal if not given.
        grader: turns jobs into pairs of a job and its result, in any order, each as soon as it is there;
            :func:`grade_all` with ``jobs`` processes if not given.

    Raises:
        CourseError: there is no such folder, another grader is at work in it, its disk is full, or its gradebook is
            held by another program or damaged.
    """
    root, console = Path(root).resolve(), console or Console()
    if not (root / "submitted").is_dir():
        raise CourseError(
            f"{root} has no folder `submitted`; a class keeps submissions in submitted/STUDENT/LAB/LAB.ipynb."
        )
    report = ClassReport()
    with only_one_grader(root), _told_when_full(root):
        if (root / UNFINISHED).exists():
            _clean_up(root, console)
        _mark_unfinished(root)
        assignments = {lab.id: Assignment.of(lab, Policy.of(lab), runner) for lab in labs or all_labs()}
        _run(root, assignments, grader or partial(grade_all, workers=jobs), report, console)
        (root / UNFINISHED).unlink()
    _show(report, console)
    return report


@contextlib.contextmanager
def only_one_grader(root: Path) -> Iterator[None]:
    """Hold the class folder ``root`` for oneself.

    Raises:
        CourseError: another grader has it.
    """
    lock = FileLock(root / LOCK, timeout=LOCK_SECONDS)
    try:
        lock.acquire()
    except Timeout as error:
        raise CourseError(f"Another `course grade` is at work in {root}; wait until it is done.") from error
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def _told_when_full(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise CourseError(NO_ROOM.format(root=root)) from error


def left_behind(root: Path) -> Iterator[Path]:
    """The temporary files and folders of runs that were killed, where the grader alone writes."""
    pattern = f"{PREFIX}*{SUFFIX}"
    yield from root.glob(pattern)
    for name in WRITTEN:
        yield from (root / name).rglob(pattern)


def _mark_unfinished(root: Path) -> None:
    """Say that a run has begun. An empty file is whole as soon as it is there: no temporary one is left by a kill."""
    (root / UNFINISHED).touch()
    sync_folder(root)


def _clean_up(root: Path, console: Console) -> None:
    console.print("The last run in this folder did not come to its end; this one goes on from there.")
    for path in list(left_behind(root)):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _run(root: Path, assignments: dict[str, Assignment], grader: Grader, report: ClassReport, console: Console) -> None:
    gradebook = ClassGradebook(root, COURSE_ID)
    gradebook.recover()
    handed = list(collect(root, assignments, report.strangers))
    set_aside_unreadable(root, handed)
    set_up(root, (assignments[lab] for lab in sorted({one.lab for one in handed})))
    _grade_new(root, assignments, handed, grader, report, console)
    _enter(root, gradebook, assignments, handed, report)
    write_class_pages(root, report.results, gradebook.by_hand(list(assignments.values())), report.strangers)


def _grade_new(
    root: Path,
    assignments: dict[str, Assignment],
    handed: list[Handed],
    grader: Grader,
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
        for job, result in grader(todo):
            _store(root, result)
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
        result = rejection(assignment, handed.student, handed.rejected, None)
        if stored_result(root, handed.lab, handed.student, result.key) is None:
            _store(root, result)
        return result
    key = assignment.key(handed.student, handed.submission)
    return stored_result(root, handed.lab, handed.student, key)


def _store(root: Path, result: Result) -> None:
    result.write(result_path(root, result.lab, result.student, result.key))


def _job(root: Path, assignment: Assignment, handed: Handed) -> Job:
    return Job(assignment, handed.student, _submission(root, handed.submission), handed.notes)


def _submission(root: Path, name: str) -> bytes:
    """The bytes that are kept under their SHA-256."""
    path = kept_submissions(root) / f"{name}.ipynb"
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != name:
        raise CourseError(f"{path} is not what was handed in: its SHA-256 is not its name. Remove it and run again.")
    return content


def _enter(
    root: Path, gradebook: ClassGradebook, assignments: dict[str, Assignment], handed: list[Handed], report: ClassReport
) -> None:
    """Bring formgrader's notebooks up to date, then the gradebook."""
    for lab_id, assignment in assignments.items():
        results = [result for result in report.results if result.lab == lab_id]
        stamps = {one.student: one.timestamp for one in handed if one.lab == lab_id and one.timestamp}
        waiting = {result.key for result in gradebook.waiting(results)}
        if waiting:
            gradebook.prepare(assignment)
        for result in results:
            path = root / "autograded" / result.student / lab_id / f"{lab_id}.ipynb"
            # Before the scores, so that a run that is killed in between comes back to it.
            if result.key in waiting or result.status in SHOWN and not is_whole(path, b"}"):
                write_autograded(root, assignment, result, stamps.get(result.student))
        report.entered += gradebook.apply(assignment, results, stamps)
    gradebook.assign_penalties()


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
    show_changes(report.entered, console)
