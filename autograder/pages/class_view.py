"""What an instructor wants to know of a class, drawn from results and the ledger: numbers and lists, and no HTML."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from pydantic import BaseModel, ValidationError

from autograder.pages.charts import Histogram, Trend, histogram, trend
from autograder.result import Result, Status, TaskResult

MISTAKES_SHOWN = 5
NOT_RUN = (Status.MALFORMED, Status.REFUSED, Status.INFRASTRUCTURE)


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that some have in common: the same checks failed, with the same kinds of exceptions."""

    failed: tuple[str, ...]
    errors: tuple[str, ...]
    hints: tuple[str, ...]
    students: tuple[str, ...]


@dataclass(frozen=True)
class TaskView:
    """How those whose notebook ran did on a task, and what they got wrong, the commonest first."""

    id: str
    title: str
    max_score: int
    right: int
    not_yet: int
    unsolved: int
    mistakes: tuple[Mistake, ...]
    rarer: int

    @property
    def of(self) -> int:
        """How many there are."""
        return self.right + self.not_yet + self.unsolved

    @property
    def missed(self) -> int:
        """How many do not have it."""
        return self.not_yet + self.unsolved


@dataclass(frozen=True)
class Outcome:
    """Submissions that ended in the same way, and not with a graded notebook."""

    status: Status
    sentence: str
    students: tuple[str, ...]


@dataclass(frozen=True)
class Attempts:
    """Those who handed in a number of different notebooks, and the median of their first and last scores."""

    number: int
    students: int
    first: float
    last: float


@dataclass(frozen=True)
class Stuck:
    """Somebody to talk to: the result, the first task that is missing, and how often the person has tried."""

    result: Result
    task: TaskResult | None
    attempts: int


@dataclass(frozen=True)
class Event:
    """A notebook that a student handed in for the first time, with what it earned when it was last graded."""

    time: datetime
    handed_in: bool
    student: str
    score: int
    status: str


@dataclass(frozen=True)
class LabView:
    """A class on a lab."""

    id: str
    title: str
    max_score: int
    results: tuple[Result, ...]
    statuses: tuple[tuple[str, int], ...]
    median: float
    histogram: Histogram
    tasks: tuple[TaskView, ...]
    stuck: tuple[Stuck, ...]
    outcomes: tuple[Outcome, ...]
    attempts: tuple[Attempts, ...]
    trend: Trend | None
    dated: bool

    @property
    def most_missed(self) -> list[TaskView]:
        """Tasks that somebody misses, the most missed first."""
        return sorted((task for task in self.tasks if task.missed), key=lambda task: -task.missed)


def lab_view(results: Sequence[Result], events: Sequence[Event] = ()) -> LabView:
    """The view of one lab.

    Args:
        results: at least one, all of the lab, one for each student.
        events: what the ledger says of the lab (:func:`read_events`).
    """
    first = results[0]
    counted = [result for result in results if result.status is not Status.INFRASTRUCTURE]
    ran = [result for result in results if result.status not in NOT_RUN]
    scores = [result.score for result in counted]
    tried = Counter(event.student for event in events)
    times = [(event.time, float(event.score)) for event in events]
    return LabView(
        id=first.lab,
        title=first.lab_title,
        max_score=first.max_score,
        results=tuple(results),
        statuses=tuple(Counter(str(result.status) for result in results).most_common()),
        median=median(scores) if scores else 0,
        histogram=histogram(scores, first.max_score),
        tasks=tuple(_task_view(column) for column in _columns(ran)),
        stuck=tuple(_stuck(results, tried)),
        outcomes=tuple(_outcomes(results)),
        attempts=tuple(_attempts(events)),
        trend=trend(times, first.max_score) if len({time for time, _ in times}) > 1 else None,
        dated=bool(events) and all(event.handed_in for event in events),
    )


def read_events(ledger: Path) -> dict[str, list[Event]]:
    """What was handed in over time, by lab: the ledger's lines, a torn one passed over, a regraded notebook once.

    A line's ``handed_in`` is when the notebook came in; where there is none, ``time`` is when it was graded.
    """
    found: dict[str, dict[tuple[str, str | None], Event]] = defaultdict(dict)
    for text in ledger.read_bytes().splitlines() if ledger.exists() else []:
        with suppress(ValidationError):
            line = _Line.model_validate_json(text)
            known = found[line.lab].get((line.student, line.submission))
            time, handed_in = (known.time, known.handed_in) if known else (line.came, line.handed_in is not None)
            event = Event(time, handed_in, line.student, line.score, line.status)
            found[line.lab][line.student, line.submission] = event
    return {lab: sorted(events.values(), key=lambda event: event.time) for lab, events in found.items()}


def mark(task: TaskResult) -> str:
    """One word for a task: right, not yet or unsolved."""
    if task.score == task.max_score:
        return "right"
    return "unsolved" if task.unsolved else "not yet"


def error_types(task: TaskResult) -> tuple[str, ...]:
    """The kinds of exceptions that came up in a task."""
    return tuple(sorted({detail.error.partition(":")[0] for detail in task.details if detail.error}))


class _Line(BaseModel):
    """What is read of a line of the ledger."""

    time: datetime
    handed_in: datetime | None = None
    lab: str
    student: str
    submission: str | None
    score: int
    status: str

    @property
    def came(self) -> datetime:
        """When the notebook came in, as far as that is known; a time without a zone is UTC."""
        time = self.handed_in or self.time
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


def _columns(results: Iterable[Result]) -> Iterable[list[tuple[str, TaskResult]]]:
    """For each task, in the lab's order, the students and their results of it."""
    columns: dict[str, list[tuple[str, TaskResult]]] = defaultdict(list)
    for result in results:
        for task in result.tasks:
            columns[task.id].append((result.student, task))
    return columns.values()


def _task_view(column: list[tuple[str, TaskResult]]) -> TaskView:
    words = Counter(mark(task) for _, task in column)
    groups: dict[tuple, list[str]] = defaultdict(list)
    hints: dict[tuple, tuple[str, ...]] = {}
    for student, task in column:
        if mark(task) == "not yet":
            kind = task.failed or task.hints, error_types(task)
            groups[kind].append(student)
            hints.setdefault(kind, task.hints)
    mistakes = [
        Mistake(kind[0] if kind[0] != hints[kind] else (), kind[1], hints[kind], tuple(students))
        for kind, students in sorted(groups.items(), key=lambda group: -len(group[1]))
    ]
    first = column[0][1]
    return TaskView(
        id=first.id,
        title=first.title,
        max_score=first.max_score,
        right=words["right"],
        not_yet=words["not yet"],
        unsolved=words["unsolved"],
        mistakes=tuple(mistakes[:MISTAKES_SHOWN]),
        rarer=sum(len(mistake.students) for mistake in mistakes[MISTAKES_SHOWN:]),
    )


def _stuck(results: Iterable[Result], tried: Mapping[str, int]) -> list[Stuck]:
    """Those who ran out of something, and those below half of the points; the lowest first."""
    found = [
        Stuck(result, next((task for task in result.tasks if not task.score), None), tried[result.student])
        for result in results
        if result.status not in NOT_RUN and (result.status is not Status.GRADED or 2 * result.score < result.max_score)
    ]
    return sorted(found, key=lambda stuck: (stuck.result.score, -stuck.attempts, stuck.result.student))


def _outcomes(results: Iterable[Result]) -> list[Outcome]:
    """Everything that was not graded, by what was said about it; the commonest first."""
    groups: dict[tuple[Status, str], list[str]] = defaultdict(list)
    for result in results:
        if result.status in NOT_RUN:
            groups[result.status, result.fault or result.sentence].append(result.student)
    ordered = sorted(groups.items(), key=lambda group: -len(group[1]))
    return [Outcome(status, sentence, tuple(students)) for (status, sentence), students in ordered]


def _attempts(events: Sequence[Event]) -> list[Attempts]:
    scores: dict[str, list[int]] = defaultdict(list)
    for event in events:
        scores[event.student].append(event.score)
    groups: dict[int, list[list[int]]] = defaultdict(list)
    for own in scores.values():
        groups[len(own)].append(own)
    return [
        Attempts(number, len(group), median(own[0] for own in group), median(own[-1] for own in group))
        for number, group in sorted(groups.items())
    ]
