"""A stream of call events: event time, windows, late data, and statistics that can be merged (Lecture 8).

An event happens at one time and arrives at another, perhaps twice. A *window* belongs to the time at which it happened.
The *watermark* is the engine's guess that all events before some time have arrived; when it passes a window's end, the
window's result is given (on time). An event that comes later changes the result (late), up to the *allowed lateness*;
after that it is dropped.

This module has no Beam in it: :func:`panes` plays a script of arrivals and watermarks by these rules, in a page of
Python. :mod:`course.pipelines.stream_transforms` gives the same panes with Beam, and a test compares them.

Sources: T. Akidau et al., The Dataflow Model, VLDB 2015; C. Masson, J. Rim and H. Lee, DDSketch: a fast and
fully-mergeable quantile sketch with relative-error guarantees, VLDB 2019.
"""

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

ACCURACY = 0.01  # relative error of a quantile
RATIO = (1 + ACCURACY) / (1 - ACCURACY)


class CallEvent(BaseModel):
    """A line of the call log: a call has ended.

    Attributes:
        event_id: the same each time that the event is delivered.
        call: the call's id.
        caller: who called.
        queue: the desk that took it, for example "cards".
        at: when it ended, seconds since the epoch.
        handling_ms: how long it took, milliseconds. A whole number: sums of fractions depend on their order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    event_id: str = Field(min_length=1)
    call: str = Field(min_length=1)
    caller: str = Field(min_length=1)
    queue: str = Field(min_length=1)
    at: float = Field(ge=0, allow_inf_nan=False)
    handling_ms: int = Field(ge=0)


def parse_event(line: bytes | str) -> CallEvent | None:
    """The event on a line of JSON, or None where there is none."""
    try:
        return CallEvent.model_validate_json(line)
    except ValidationError:
        return None


@dataclass(frozen=True)
class Statistics:
    """What is known about some durations: two of them merge to that of all, in any order and any grouping.

    The quantiles come from a sketch: bucket ``k`` counts values above ``RATIO ** (k - 1)`` and up to ``RATIO ** k``.
    Adding two sketches is adding counts, so it forgets nothing that one sketch of all values would know.

    Attributes:
        count: how many.
        total: their sum, milliseconds.
        smallest, largest: milliseconds; infinite for none.
        zeros: how many are 0, which has no logarithm.
        buckets: number of a bucket and its count, sorted.
    """

    count: int = 0
    total: int = 0
    smallest: float = math.inf
    largest: float = -math.inf
    zeros: int = 0
    buckets: tuple[tuple[int, int], ...] = ()

    @property
    def mean(self) -> float:
        """Milliseconds; NaN for none."""
        return self.total / self.count if self.count else math.nan

    def merged(self, other: "Statistics") -> "Statistics":
        """Of both sets of values together: associative and commutative, and ``Statistics()`` changes nothing."""
        return Statistics(
            count=self.count + other.count,
            total=self.total + other.total,
            smallest=min(self.smallest, other.smallest),
            largest=max(self.largest, other.largest),
            zeros=self.zeros + other.zeros,
            buckets=tuple(sorted((Counter(dict(self.buckets)) + Counter(dict(other.buckets))).items())),
        )

    def quantile(self, q: float) -> float:
        """A value that is within ``ACCURACY`` of the ``q``-quantile (the value of rank ``floor(q * (count - 1))``).

        Raises:
            ValueError: ``q`` is outside 0 to 1, or there are no values.
        """
        if not 0 <= q <= 1 or not self.count:
            raise ValueError(f"A share from 0 to 1 of at least one value was expected; {q} of {self.count} came.")
        rank, seen = math.floor(q * (self.count - 1)), self.zeros
        if rank < seen:
            return 0.0
        for bucket, count in self.buckets:
            seen += count
            if rank < seen:
                return 2 * RATIO**bucket / (RATIO + 1)
        raise AssertionError("the buckets hold all values that are not zero")


def statistics_of(durations: Iterable[int]) -> Statistics:
    """The statistics of durations in whole milliseconds.

    Raises:
        ValueError: a duration that is negative or no whole number.
    """
    values = list(durations)
    if any(isinstance(value, bool) or not isinstance(value, int) or value < 0 for value in values):
        raise ValueError("Durations were expected as whole milliseconds of 0 or more. Try round(1000 * seconds).")
    positive = [value for value in values if value]
    return Statistics(
        count=len(values),
        total=sum(values),
        smallest=min(values, default=math.inf),
        largest=max(values, default=-math.inf),
        zeros=len(values) - len(positive),
        buckets=tuple(sorted(Counter(math.ceil(math.log(value, RATIO)) for value in positive).items())),
    )


class Window(NamedTuple):
    """A stretch of event time: from ``start`` up to but not including ``end``, seconds."""

    start: float
    end: float


def fixed_window(at: float, size: float) -> Window:
    """The window of ``size`` seconds that holds a moment; windows begin at whole multiples of their size.

    Raises:
        ValueError: a size that is not above 0.
    """
    if not size > 0:
        raise ValueError(f"A size above 0 seconds was expected and {size} came; try 60.")
    start = math.floor(at / size) * size
    return Window(start, start + size)


def session_windows(times: Iterable[float], gap: float) -> list[Window]:
    """Windows of activity: moments less than ``gap`` seconds apart share one, which ends ``gap`` after its last.

    Raises:
        ValueError: a gap that is not above 0.
    """
    if not gap > 0:
        raise ValueError(f"A gap above 0 seconds was expected and {gap} came; try 600.")
    windows: list[Window] = []
    for at in sorted(times):
        if windows and at < windows[-1].end:
            windows[-1] = Window(windows[-1].start, at + gap)
        else:
            windows.append(Window(at, at + gap))
    return windows


def once(events: Iterable[CallEvent]) -> list[CallEvent]:
    """The events without those that were delivered before."""
    seen: dict[str, CallEvent] = {}
    for event in events:
        seen.setdefault(event.event_id, event)
    return list(seen.values())


def in_batch(events: Iterable[CallEvent], size: float) -> dict[tuple[str, Window], Statistics]:
    """The statistics of each queue and window when everything has arrived: what a stream has to come to."""
    durations = defaultdict(list)
    for event in once(events):
        durations[event.queue, fixed_window(event.at, size)].append(event.handling_ms)
    return {place: statistics_of(values) for place, values in durations.items()}


class Arrival(NamedTuple):
    """A step of a script: events that arrive together."""

    events: tuple[CallEvent, ...]


class Watermark(NamedTuple):
    """A step of a script: no event before this time is expected any more."""

    at: float


class Pane(NamedTuple):
    """A result that a window gives; later panes of a window replace earlier ones."""

    queue: str
    window: Window
    timing: Literal["on time", "late"]
    statistics: Statistics


@dataclass
class Engine:
    """The rules of watermark, lateness and accumulation, for windows of one size.

    Attributes:
        size: of the windows, seconds.
        lateness: how long after its end, by the watermark, a window still takes events, seconds.
        watermark: the latest; it never goes back.
        dropped: events that came too late.
    """

    size: float
    lateness: float
    watermark: float = -math.inf
    dropped: list[CallEvent] = field(default_factory=list)
    _durations: dict[tuple[str, Window], list[int]] = field(default_factory=lambda: defaultdict(list))
    _given: set[tuple[str, Window]] = field(default_factory=set)
    _seen: set[str] = field(default_factory=set)

    def arrive(self, events: Iterable[CallEvent]) -> list[Pane]:
        """Take events that come together; each window among theirs that has ended gives a late pane."""
        changed = {place for event in events if (place := self._take(event))}
        ended = [place for place in changed if place[1].end <= self.watermark]
        return [self._pane(place, "late") for place in _in_order(ended)]

    def advance(self, watermark: float) -> list[Pane]:
        """Let time pass; each window that ends gives its pane."""
        self.watermark = max(self.watermark, watermark)
        ended = [place for place in self._durations if place not in self._given and place[1].end <= self.watermark]
        return [self._pane(place, "on time") for place in _in_order(ended)]

    def _take(self, event: CallEvent) -> tuple[str, Window] | None:
        """The queue and window that the event changes, or None."""
        place = event.queue, fixed_window(event.at, self.size)
        if place[1].end + self.lateness < self.watermark:
            self.dropped.append(event)
            return None
        if event.event_id in self._seen:
            return None
        self._seen.add(event.event_id)
        self._durations[place].append(event.handling_ms)
        return place

    def _pane(self, place: tuple[str, Window], timing: Literal["on time", "late"]) -> Pane:
        self._given.add(place)
        return Pane(*place, timing, statistics_of(self._durations[place]))


def _in_order(places: Iterable[tuple[str, Window]]) -> list[tuple[str, Window]]:
    return sorted(places, key=lambda place: (place[1].end, place[0]))


Step = Arrival | Watermark


def panes(script: Sequence[Step], size: float, lateness: float) -> tuple[list[Pane], list[CallEvent]]:
    """What windows give while a script is played, and the events that came too late.

    Args:
        script: arrivals and watermarks in the order in which the engine learns of them; at its end time runs out.
        size: of the windows, seconds.
        lateness: allowed, seconds.
    """
    engine, given = Engine(size, lateness), []
    for step in [*script, Watermark(math.inf)]:
        given += engine.advance(step.at) if isinstance(step, Watermark) else engine.arrive(step.events)
    return given, engine.dropped


def script_of(lines: Iterable[bytes | str], lag: float, tick: float = 60.0) -> tuple[list[Step], list[bytes | str]]:
    """A script for a log whose lines are in the order of their arrival, and the lines that are no events.

    A log says when calls ended and nothing of what is still under way, so the watermark is a guess: the latest end so
    far, less a lag. It moves in steps, and what arrives between two steps arrives together.

    Args:
        lines: of JSON.
        lag: how far the watermark stays behind the latest event, seconds: a small one is early and often wrong.
        tick: its steps are whole multiples of this, seconds.

    Raises:
        ValueError: a negative lag, or a tick that is not above 0.
    """
    if not lag >= 0 or not tick > 0:
        raise ValueError(
            f"A lag of 0 or more and a tick above 0 s were expected; {lag} and {tick} came. Try 120 and 60."
        )
    script, dead, together, watermark = [], [], [], -math.inf
    for line in lines:
        event = parse_event(line)
        if event is None:
            dead.append(line)
            continue
        together.append(event)
        guess = math.floor((event.at - lag) / tick) * tick
        if guess > max(watermark, 0):
            script += [Arrival(tuple(together)), Watermark(guess)]
            together, watermark = [], guess
    return script + ([Arrival(tuple(together))] if together else []), dead


def arrived(script: Iterable[Step]) -> list[CallEvent]:
    """All events of a script, each time that they were delivered."""
    return [event for step in script if isinstance(step, Arrival) for event in step.events]


def last_of_each(given: Iterable[Pane]) -> dict[tuple[str, Window], Statistics]:
    """The statistics of each queue and window after its last pane, in whatever order the panes come.

    Panes accumulate, so the last of a window is the one that counts most.
    """
    last: dict[tuple[str, Window], Statistics] = {}
    for pane in given:
        place = pane.queue, pane.window
        if place not in last or last[place].count < pane.statistics.count:
            last[place] = pane.statistics
    return last


def n_lost(script: Iterable[Step], given: Iterable[Pane]) -> int:
    """How many different events of a script no pane counts, because they came too late."""
    return len(once(arrived(script))) - sum(statistics.count for statistics in last_of_each(given).values())


def summary(script: Sequence[Step], given: Sequence[Pane]) -> dict[str, int]:
    """What came of a script, in numbers for a table."""
    events, times = arrived(script), Counter(pane.timing for pane in given)
    return {
        "events delivered again": len(events) - len(once(events)),
        "panes on time": times["on time"],
        "panes late": times["late"],
        "events that came too late": n_lost(script, given),
    }


def pane_order(pane: Pane) -> tuple[float, str, int]:
    """Sorts panes by window, queue and place in the window's history, whatever order an engine gave them in."""
    return pane.window.end, pane.queue, pane.statistics.count


def pane_line(pane: Pane) -> str:
    """A pane as a line of JSON: counts and quantiles for people, in milliseconds and seconds since the epoch."""
    found = pane.statistics
    shown = {
        "queue": pane.queue,
        "start": float(pane.window.start),
        "end": float(pane.window.end),
        "timing": pane.timing,
        "calls": found.count,
        "mean_ms": round(found.mean, 3),
        "median_ms": round(found.quantile(0.5), 3),
        "p90_ms": round(found.quantile(0.9), 3),
        "longest_ms": found.largest,
    }
    return json.dumps(shown, sort_keys=True, separators=(",", ":"))
