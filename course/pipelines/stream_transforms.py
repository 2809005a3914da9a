"""The stream of call events as a Beam pipeline: the functions of ``streaming``, each in a transform (Lecture 8).

Beam keeps the windows, the watermark and the state; what is counted, and what makes two events the same, are the pure
functions.
"""

import hashlib
import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import apache_beam as beam
from apache_beam.coders import BooleanCoder
from apache_beam.transforms.trigger import AccumulationMode, AfterCount, AfterWatermark
from apache_beam.transforms.userstate import ReadModifyWriteStateSpec
from apache_beam.transforms.window import FixedWindows, Sessions, TimestampedValue
from apache_beam.utils.windowed_value import PaneInfoTiming

from course.pipelines.streaming import (
    CallEvent,
    Pane,
    Statistics,
    Step,
    Watermark,
    Window,
    pane_order,
    parse_event,
    statistics_of,
)
from course.storage import write_atomic

TIMINGS = {PaneInfoTiming.ON_TIME: "on time", PaneInfoTiming.LATE: "late", PaneInfoTiming.EARLY: "early"}


class StatisticsFn(beam.CombineFn):
    """Merges the statistics of durations in whole milliseconds."""

    def create_accumulator(self) -> Statistics:
        """Of no value."""
        return Statistics()

    def add_input(self, accumulator: Statistics, element: int) -> Statistics:
        """With one duration more."""
        return accumulator.merged(statistics_of([element]))

    def add_inputs(self, accumulator: Statistics, elements: Iterable[int]) -> Statistics:
        """With many more at once."""
        return accumulator.merged(statistics_of(elements))

    def merge_accumulators(self, accumulators: Iterable[Statistics]) -> Statistics:
        """Of all of them together."""
        merged = Statistics()
        for one in accumulators:
            merged = merged.merged(one)
        return merged

    def extract_output(self, accumulator: Statistics) -> Statistics:
        """The statistics themselves."""
        return accumulator


class ReadEvents(beam.DoFn):
    """Lines of JSON to events at their own time; what is no event goes to the output "dead"."""

    def process(self, line: bytes | str) -> Iterator:
        """The event, or the line."""
        event = parse_event(line)
        yield beam.pvalue.TaggedOutput("dead", line) if event is None else TimestampedValue(event, event.at)


class FirstOfEach(beam.DoFn):
    """Of the events with one id, the first that arrives; Beam forgets the id with its window."""

    SEEN = beam.DoFn.StateParam(ReadModifyWriteStateSpec("seen", BooleanCoder()))

    def process(self, keyed: tuple[str, CallEvent], seen=SEEN) -> Iterator[CallEvent]:
        """The event, unless its id has been here."""
        if not seen.read():
            seen.write(True)
            yield keyed[1]


class StatisticsPerWindow(beam.PTransform):
    """From events to a pane for each queue and window, on time and again when a late event changes it.

    Args:
        size: of the windows, seconds.
        lateness: how long after its end a window takes events, seconds.
    """

    def __init__(self, size: float, lateness: float):
        super().__init__()
        self.size, self.lateness = size, lateness

    def expand(self, events: beam.PCollection) -> beam.PCollection:
        """Events in, :class:`course.pipelines.streaming.Pane` out."""
        return (
            events
            | "Windows"
            >> beam.WindowInto(
                FixedWindows(self.size),
                trigger=AfterWatermark(late=AfterCount(1)),
                accumulation_mode=AccumulationMode.ACCUMULATING,
                allowed_lateness=self.lateness,
            )
            | "By event id" >> beam.Map(lambda event: (event.event_id, event))
            | "Once" >> beam.ParDo(FirstOfEach()).with_input_types(tuple[str, CallEvent])
            | "By queue" >> beam.Map(lambda event: (event.queue, event.handling_ms))
            | "Statistics" >> beam.CombinePerKey(StatisticsFn())
            | "Panes" >> beam.Map(as_pane)
        )


def as_pane(keyed: tuple[str, Statistics], window=beam.DoFn.WindowParam, info=beam.DoFn.PaneInfoParam) -> Pane:
    """A queue's statistics with the window and the pane that Beam has them in."""
    bounds = Window(window.start.micros / 1e6, window.end.micros / 1e6)
    return Pane(keyed[0], bounds, TIMINGS[info.timing], keyed[1])


class SessionsPerCaller(beam.PTransform):
    """From events to each caller's stretches of calls and how many calls each has: ``(caller, window, calls)``.

    Args:
        gap: seconds without a call that end a session.
    """

    def __init__(self, gap: float):
        super().__init__()
        self.gap = gap

    def expand(self, events: beam.PCollection) -> beam.PCollection:
        """Events in, triples out; events that are delivered twice count once."""
        return (
            events
            | "Sessions" >> beam.WindowInto(Sessions(self.gap))
            | "By caller" >> beam.Map(lambda event: (event.caller, event.event_id))
            | "Together" >> beam.GroupByKey()
            | "Counted" >> beam.Map(as_session)
        )


def as_session(keyed: tuple[str, Iterable[str]], window=beam.DoFn.WindowParam) -> tuple[str, Window, int]:
    """A caller's session with the number of different events in it."""
    return keyed[0], Window(window.start.micros / 1e6, window.end.micros / 1e6), len(set(keyed[1]))


def panes_through_beam(script: Sequence[Step], size: float, lateness: float) -> list[Pane]:
    """What Beam's windows give while a script is played: the panes of :func:`course.pipelines.streaming.panes`.

    Beam's ``TestStream`` plays the script, with its watermark and its state, as fast as it goes.

    Args:
        script: its watermarks rise.
        size: of the windows, seconds.
        lateness: allowed, seconds.

    Returns:
        In the order of :func:`course.pipelines.streaming.pane_order`: Beam promises none.
    """
    from apache_beam.options.pipeline_options import PipelineOptions
    from apache_beam.testing.test_pipeline import TestPipeline
    from apache_beam.testing.test_stream import TestStream

    stream = TestStream()
    for step in script:
        if isinstance(step, Watermark):
            stream = stream.advance_watermark_to(step.at)
        else:
            stream = stream.add_elements([event.model_dump_json() for event in step.events])
    with tempfile.TemporaryDirectory(prefix="course-panes-") as folder:
        with TestPipeline(options=PipelineOptions(["--streaming"])) as pipeline:
            read = (
                pipeline
                | stream.advance_watermark_to_infinity()
                | beam.ParDo(ReadEvents()).with_outputs("dead", main="events")
            )
            _ = read.events | StatisticsPerWindow(size, lateness) | "Keep" >> beam.Map(_keep_pane, folder)
        return sorted(map(_kept_pane, Path(folder).iterdir()), key=pane_order)


def _keep_pane(pane: Pane, folder: str) -> None:
    """Write a pane under a name of its content: one that a runner gives twice, after a failure, is there once."""
    content = json.dumps([pane.queue, pane.window, pane.timing, asdict(pane.statistics)])
    write_atomic(Path(folder, hashlib.sha256(content.encode()).hexdigest()), content)


def _kept_pane(path: Path) -> Pane:
    queue, window, timing, statistics = json.loads(path.read_bytes())
    buckets = tuple((bucket, count) for bucket, count in statistics.pop("buckets"))
    return Pane(queue, Window(*window), timing, Statistics(buckets=buckets, **statistics))
