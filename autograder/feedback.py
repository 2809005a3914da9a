"""The pages that people read: a student's feedback, and the instructor's summary of a class."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from jinja2 import Environment, PackageLoader, StrictUndefined

from autograder.gradebook import ByHand
from autograder.result import Result, Status, TaskResult
from autograder.sandbox import Trusted
from course.storage import write_atomic

HINTS_SHOWN = 3
PAGES = Environment(
    loader=PackageLoader("autograder"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


@dataclass(frozen=True)
class TaskSummary:
    """How a class did on a task: how many of those whose notebook ran have it, and the commonest hints."""

    title: str
    solved: int
    untouched: int
    of: int
    hints: list[tuple[str, int]]


@dataclass(frozen=True)
class LabSummary:
    """How a class did on a lab; ``stuck`` are the submissions to look at first."""

    id: str
    results: list[Result]
    stuck: list[Result]
    statuses: list[tuple[str, int]]
    median: float
    max_score: int
    tasks: list[TaskSummary]


def feedback_page(result: Result, by_hand: dict[str, ByHand]) -> str:
    """The HTML page of a submission: what was right, a hint for what was not, and what a person added."""
    return PAGES.get_template("feedback.html").render(
        result=result, by_hand=by_hand, trusted=result.environment["sandbox"] == Trusted.name
    )


def summary_page(results: Sequence[Result], strangers: Sequence[str]) -> str:
    """The HTML page of a class: who is stuck, and where."""
    labs = sorted({result.lab for result in results})
    summaries = [_lab_summary(lab, [result for result in results if result.lab == lab]) for lab in labs]
    return PAGES.get_template("summary.html").render(labs=summaries, strangers=strangers)


def write_class_pages(
    root: Path, results: Sequence[Result], by_hand: Mapping[str, Mapping[str, dict[str, ByHand]]], strangers: list[str]
) -> None:
    """Write the pages of a class that are new or changed.

    Args:
        root: the class folder.
        results: of all labs and students.
        by_hand: what persons entered, by lab, student and task or question.
        strangers: a sentence for each entry among the submissions that was not read.
    """
    for result in results:
        page = feedback_page(result, by_hand.get(result.lab, {}).get(result.student, {}))
        _write_if_changed(root / "feedback" / result.student / result.lab / f"{result.lab}.html", page)
    _write_if_changed(root / "summary.html", summary_page(results, strangers))


def mark(task: TaskResult) -> str:
    """One word for a task: right, not yet or unsolved."""
    if task.score == task.max_score:
        return "right"
    return "unsolved" if task.unsolved else "not yet"


def stuck_at(result: Result) -> str:
    """The first task that a submission lacks."""
    return next((task.title for task in result.tasks if not task.score), "")


def _write_if_changed(path: Path, page: str) -> None:
    if not path.exists() or path.read_text(encoding="utf-8") != page:
        write_atomic(path, page)


def _lab_summary(lab: str, results: list[Result]) -> LabSummary:
    counted = [result for result in results if result.status is not Status.INFRASTRUCTURE]
    ran = [result for result in counted if result.status not in (Status.MALFORMED, Status.REFUSED)]
    stuck = [result for result in results if result.status is not Status.GRADED or 2 * result.score < result.max_score]
    return LabSummary(
        id=lab,
        results=results,
        stuck=sorted(stuck, key=lambda result: (result.score, result.student)),
        statuses=Counter(str(result.status) for result in results).most_common(),
        median=median(result.score for result in counted) if counted else 0,
        max_score=results[0].max_score,
        tasks=[_task_summary(column) for column in zip(*(result.tasks for result in ran), strict=True)],
    )


def _task_summary(column: Iterable[TaskResult]) -> TaskSummary:
    column = list(column)
    hints = Counter(hint for task in column if not task.unsolved for hint in task.hints)
    return TaskSummary(
        title=column[0].title,
        solved=sum(task.score == task.max_score for task in column),
        untouched=sum(task.unsolved for task in column),
        of=len(column),
        hints=hints.most_common(HINTS_SHOWN),
    )


PAGES.filters |= {"mark": mark, "stuck_at": stuck_at}
