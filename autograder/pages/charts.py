"""Geometry of the plots on the grader's pages: numbers in, places on an SVG canvas out; templates draw them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median, quantiles

MOST_BARS = 31  # of a histogram; more points than that share bars
MOST_STEPS = 60  # of a time axis
STEPS = [timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6), timedelta(days=1), timedelta(weeks=1)]
START = datetime(2024, 1, 1, tzinfo=UTC)  # a Monday, so that weeks begin on one
ROUND = (1, 2, 5)


@dataclass(frozen=True)
class Bar:
    """A bar: the scores ``low`` to ``high`` that it stands for, how many there are, and its box on the canvas."""

    low: int
    high: int
    count: int
    x: float
    y: float
    width: float
    height: float

    @property
    def label(self) -> str:
        """The scores that it stands for."""
        return str(self.low) if self.low == self.high else f"{self.low} to {self.high}"


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: where, and what stands there."""

    at: float
    label: str


@dataclass(frozen=True)
class Histogram:
    """Scores as bars on a canvas of ``width`` by ``height``, with the median's place."""

    width: float
    height: float
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    levels: tuple[Tick, ...]
    median: Tick


@dataclass(frozen=True)
class Step:
    """A stretch of time: how many submissions, the quartiles of their scores, and where they stand on the canvas."""

    start: datetime
    count: int
    low: float
    middle: float
    high: float
    x: float
    width: float
    count_height: float
    low_y: float
    middle_y: float
    high_y: float


@dataclass(frozen=True)
class Trend:
    """Submissions and their scores over time; both panels are ``width`` by ``height``."""

    width: float
    height: float
    steps: tuple[Step, ...]
    ticks: tuple[Tick, ...]
    most: int
    max_score: int
    unit: str


@dataclass(frozen=True)
class Segment:
    """A task's stretch of the bar of points, from ``x`` over ``width`` percent."""

    x: float
    width: float
    number: int
    title: str
    word: str
    score: int
    max_score: int


def histogram(scores: Sequence[float], max_score: int, width: float = 640, height: float = 180) -> Histogram:
    """A histogram of scores from 0 to ``max_score``, a bar for each point or, where these are many, for several."""
    per_bar = -(-(max_score + 1) // MOST_BARS)
    starts = range(0, max_score + 1, per_bar)
    counts = [0] * len(starts)
    for score in scores:
        counts[min(int(max(score, 0)), max_score) // per_bar] += 1
    most, box = max([1, *counts]), width / len(starts)
    bars = tuple(
        Bar(low, min(low + per_bar - 1, max_score), count, place * box, height - height * count / most, box, tall)
        for place, (low, count) in enumerate(zip(starts, counts, strict=True))
        for tall in [height * count / most]
    )
    every = -(-len(bars) // 10)
    ticks = tuple(Tick(bar.x + bar.width / 2, bar.label.replace(" to ", "–")) for bar in bars[::every])
    levels = tuple(Tick(height - height * level / most, str(level)) for level in _levels(most))
    middle = median(scores) if scores else 0
    return Histogram(width, height, bars, ticks, levels, Tick((middle / per_bar + 0.5) * box, f"{middle:g}"))


def trend(events: Sequence[tuple[datetime, float]], max_score: int, width: float = 640, height: float = 120) -> Trend:
    """Submissions over time: how many, and the quartiles of their scores, by steps of a suitable length.

    Args:
        events: time and score of each submission; at least one.
        max_score: of the lab.
        width, height: of each of the two panels.
    """
    first, last = min(time for time, _ in events), max(time for time, _ in events)
    step = next((one for one in STEPS if (last - first) / one < MOST_STEPS - 1), STEPS[-1])
    origin = START + (first - START) // step * step
    groups: dict[int, list[float]] = {}
    for time, score in events:
        groups.setdefault((time - origin) // step, []).append(score)
    number, most = max(groups) + 1, max(map(len, groups.values()))
    box = width / number
    steps = tuple(
        _step(origin + place * step, scores, place * box, box, height, most, max_score)
        for place, scores in sorted(groups.items())
    )
    every = -(-number // 6)
    shape = "%d %b" if step >= STEPS[3] else "%d %b %H:%M"
    ticks = tuple(Tick(place * box, f"{origin + place * step:{shape}}") for place in range(0, number, every))
    return Trend(width, height, steps, ticks, most, max_score, _named(step))


def segments(tasks: Sequence[tuple[str, str, int, int]]) -> tuple[Segment, ...]:
    """The bar of a student's points: for each task (title, word, score, maximum), as wide as what it may earn."""
    total, found, x = sum(task[3] for task in tasks) or 1, [], 0.0
    for number, (title, word, score, most) in enumerate(tasks, start=1):
        width = 100 * most / total
        found.append(Segment(x, width, number, title, word, score, most))
        x += width
    return tuple(found)


def _step(
    start: datetime, scores: list[float], x: float, width: float, height: float, most: int, max_score: int
) -> Step:
    low, middle, high = quantiles(scores, n=4, method="inclusive") if len(scores) > 1 else scores * 3
    places = [height - height * score / (max_score or 1) for score in (low, middle, high)]
    return Step(start, len(scores), low, middle, high, x, width, height * len(scores) / most, *places)


def _levels(most: int) -> list[int]:
    """Two or three round counts up to ``most``."""
    wanted = max(1, most // 3)
    power = 10 ** (len(str(wanted)) - 1)
    step = max(one * power for one in ROUND if one * power <= wanted)
    return list(range(step, most + 1, step))[:5]


def _named(step: timedelta) -> str:
    names = ("10 minutes", "hour", "6 hours", "day", "week")
    return names[STEPS.index(step)]
