"""Windows, watermarks and late data: the rules in Python against Beam; statistics that merge in any way."""

import functools
import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.pipelines.made_up import call_events
from course.pipelines.streaming import (
    ACCURACY,
    Arrival,
    CallEvent,
    Statistics,
    Watermark,
    Window,
    fixed_window,
    in_batch,
    once,
    panes,
    parse_event,
    session_windows,
    statistics_of,
)

DURATIONS = st.lists(st.integers(0, 10**7), max_size=30)


def event(name: str, at: float, handling_ms: int = 1000, queue: str = "cards", caller: str = "ann") -> CallEvent:
    return CallEvent(event_id=name, call=f"call of {name}", caller=caller, queue=queue, at=at, handling_ms=handling_ms)


@given(DURATIONS, st.randoms())
def test_merging_in_any_tree_is_computing_at_once(values, order):
    leaves = [statistics_of([value]) for value in values] + [Statistics()]
    order.shuffle(leaves)
    while len(leaves) > 1:
        one, other = (leaves.pop(order.randrange(len(leaves))) for _ in range(2))
        leaves.append(one.merged(other))
    assert leaves[0] == statistics_of(values)


@given(DURATIONS, DURATIONS, DURATIONS)
def test_merging_is_associative_and_commutative_and_has_a_neutral_element(a, b, c):
    a, b, c = statistics_of(a), statistics_of(b), statistics_of(c)
    assert a.merged(b) == b.merged(a) and a.merged(b).merged(c) == a.merged(b.merged(c))
    assert a.merged(Statistics()) == a == Statistics().merged(a)


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=60), st.floats(0, 1))
def test_quantiles_are_within_the_accuracy_of_the_exact_ones(values, q):
    exact = sorted(values)[math.floor(q * (len(values) - 1))]
    assert abs(statistics_of(values).quantile(q) - exact) <= ACCURACY * exact * (1 + 1e-9)


def test_statistics_by_hand():
    found = statistics_of([0, 100, 300])
    assert (found.count, found.total, found.smallest, found.largest, found.zeros) == (3, 400, 0, 300, 1)
    assert (
        found.mean == pytest.approx(400 / 3)
        and found.quantile(0) == 0
        and found.quantile(1) == pytest.approx(300, 0.01)
    )
    assert math.isnan(Statistics().mean)


def test_a_sketch_of_many_values_is_small(rng):
    values = np.round(1000 * rng.lognormal(5, 1, 20_000)).astype(int).tolist()
    found = statistics_of(values)
    assert len(found.buckets) < 500
    for q in (0.5, 0.9, 0.99):
        assert found.quantile(q) == pytest.approx(np.quantile(values, q, method="lower"), rel=ACCURACY)


def test_a_mean_of_means_is_wrong_and_sums_of_floats_depend_on_their_order():
    parts = [statistics_of([100]), statistics_of([400, 400, 400])]
    merged = functools.reduce(Statistics.merged, parts)
    assert merged.mean == 325 != sum(part.mean for part in parts) / 2
    assert sum([0.1, 0.2, 0.3]) != sum([0.3, 0.2, 0.1])


@pytest.mark.parametrize("bad", [[-1], [1.5], [True], ["1"]])
def test_durations_are_whole_milliseconds(bad):
    with pytest.raises(ValueError, match="whole milliseconds"):
        statistics_of(bad)


@pytest.mark.parametrize(("q", "values"), [(-0.1, [1]), (1.1, [1]), (float("nan"), [1]), (0.5, [])])
def test_quantiles_of_nothing_or_outside_are_refused(q, values):
    with pytest.raises(ValueError, match="share from 0 to 1"):
        statistics_of(values).quantile(q)


@pytest.mark.parametrize(
    "line",
    [b"", b"{", b"null", b'{"event_id": "a"}', b"\xff", event("a", 1).model_dump_json().replace("1.0", "NaN")]
    + [event("a", 1).model_dump_json().replace(*change) for change in (("1000", "-1"), ("1000", "1.5"), ('"a"', '""'))],
)
def test_a_line_that_is_no_event_is_none(line):
    assert parse_event(line) is None


def test_an_event_survives_its_line():
    for one in call_events(20):
        assert parse_event(one.model_dump_json()) == one


@pytest.mark.parametrize(("at", "window"), [(0, (0, 10)), (9.999, (0, 10)), (10, (10, 20)), (25, (20, 30))])
def test_a_window_holds_its_start_and_not_its_end(at, window):
    assert fixed_window(at, 10) == window


def test_sessions_end_a_gap_after_their_last_moment():
    assert session_windows([100, 5, 0, 9, 19.5], 10) == [Window(0, 19), Window(19.5, 29.5), Window(100, 110)]
    assert session_windows([0, 10], 10) == [Window(0, 10), Window(10, 20)] and session_windows([], 1) == []


@pytest.mark.parametrize("size", [0, -1, float("nan")])
def test_sizes_and_gaps_are_above_zero(size):
    with pytest.raises(ValueError, match="above 0 seconds"):
        fixed_window(1, size)
    with pytest.raises(ValueError, match="above 0 seconds"):
        session_windows([1], size)


SCRIPT = [
    Arrival((event("a", 1, 100), event("b", 3, 200), event("b", 3, 200))),
    Watermark(10),
    Arrival((event("c", 5, 1000), event("d", 5, 77))),
    Arrival((event("c", 5, 1000),)),
    Arrival((event("e", 15, 0, "loans"),)),
    Watermark(30),
    Arrival((event("f", 5, 5),)),
    Watermark(31),
    Arrival((event("g", 5, 5), event("h", 12, 9))),
    Arrival((event("i", 12, 5, "loans"),)),
]


def test_panes_on_time_late_and_too_late():
    given_panes, dropped = panes(SCRIPT, size=10, lateness=20)
    shown = [(pane.queue, pane.window.start, pane.timing, pane.statistics.count) for pane in given_panes]
    assert shown == [
        ("cards", 0, "on time", 2),
        ("cards", 0, "late", 4),
        ("loans", 10, "on time", 1),
        ("cards", 0, "late", 5),
        ("cards", 10, "late", 1),
        ("loans", 10, "late", 2),
    ]
    assert [one.event_id for one in dropped] == ["g"]


def shuffled_script(seed: int) -> list:
    """Events out of order and delivered twice, and a watermark that is often wrong."""
    draw = random.Random(seed)
    events = [
        event(str(n), draw.uniform(0, 60), draw.randrange(500), draw.choice(("cards", "loans"))) for n in range(25)
    ]
    arriving = sorted(events + draw.sample(events, 6), key=lambda one: one.at + draw.uniform(0, 30))
    script = []
    for one in arriving:
        script.append(Arrival((one,)))
        if draw.random() < 0.3:
            script.append(Watermark(round(max(one.at - draw.uniform(0, 5), 0), 3)))
    return script


def test_with_enough_lateness_the_last_panes_are_those_of_a_batch():
    for seed in range(20):
        script = shuffled_script(seed)
        given_panes, dropped = panes(script, 10, lateness=1000)
        last = {(pane.queue, pane.window): pane.statistics for pane in given_panes}
        arrived = [one for step in script if isinstance(step, Arrival) for one in step.events]
        assert last == in_batch(arrived, 10) and dropped == []


def test_without_lateness_what_comes_late_is_lost_and_counted():
    script = shuffled_script(3)
    given_panes, dropped = panes(script, 10, lateness=0)
    arrived = once(one for step in script if isinstance(step, Arrival) for one in step.events)
    last = {(pane.queue, pane.window): pane.statistics for pane in given_panes}
    lost = {one.event_id for one in dropped}
    assert dropped and sum(one.count for one in last.values()) + len(lost) >= len(arrived)


def through_beam(script, size: float, lateness: float) -> list:
    """The panes that Beam gives for a script, with its own windows, watermark and state."""
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions
    from apache_beam.testing.test_pipeline import TestPipeline
    from apache_beam.testing.test_stream import TestStream
    from apache_beam.testing.util import assert_that, equal_to

    from course.pipelines.stream_transforms import ReadEvents, StatisticsPerWindow

    stream = TestStream()
    for step in script:
        if isinstance(step, Watermark):
            stream = stream.advance_watermark_to(step.at)
        else:
            stream = stream.add_elements([one.model_dump_json() for one in step.events] + ["no event"])
    expected, _ = panes(script, size, lateness)
    with TestPipeline(options=PipelineOptions(["--streaming"])) as pipeline:
        read = (
            pipeline | stream.advance_watermark_to_infinity() | beam.ParDo(ReadEvents()).with_outputs("dead", main="e")
        )
        assert_that(read.e | StatisticsPerWindow(size, lateness), equal_to(expected))
        n_lines = sum(isinstance(step, Arrival) for step in script)
        assert_that(read.dead, equal_to(["no event"] * n_lines), label="dead")
    return expected


def test_beam_gives_the_same_panes():
    assert len(through_beam(SCRIPT, 10, 20)) == 6


def test_beam_gives_the_same_panes_for_a_shuffled_stream():
    increasing, watermark = [], 0.0
    for step in shuffled_script(7):  # Beam's watermark only goes forward
        if isinstance(step, Arrival) or step.at > watermark:
            increasing.append(step)
            watermark = step.at if isinstance(step, Watermark) else watermark
    assert {pane.timing for pane in through_beam(increasing, 10, lateness=4)} >= {"on time"}


def test_sessions_in_beam_are_those_of_the_function():
    import apache_beam as beam
    from apache_beam.testing.test_pipeline import TestPipeline
    from apache_beam.testing.util import assert_that, equal_to

    from course.pipelines.stream_transforms import ReadEvents, SessionsPerCaller

    events = [
        event(f"e{n}", at, caller=caller)
        for n, (at, caller) in enumerate(
            [(0, "ann"), (50, "ann"), (200, "ann"), (10, "bob"), (69.5, "bob"), (500, "bob")]
        )
    ]
    expected = []
    for caller in ("ann", "bob"):
        times = [one.at for one in events if one.caller == caller]
        for window in session_windows(times, 60):
            expected.append((caller, window, sum(window.start <= at < window.end for at in times)))
    lines = [one.model_dump_json() for one in events + events[:2]]
    with TestPipeline() as pipeline:
        read = pipeline | beam.Create(lines) | beam.ParDo(ReadEvents()).with_outputs("dead", main="events")
        assert_that(read.events | SessionsPerCaller(60), equal_to(expected))


def test_the_combiner_keeps_beams_contract():
    from course.pipelines.stream_transforms import StatisticsFn

    combine, values = StatisticsFn(), [5, 0, 17, 4000, 4000, 123_456]
    accumulators = [combine.add_inputs(combine.create_accumulator(), values[:2]), combine.create_accumulator()]
    for value in values[2:]:
        accumulators[1] = combine.add_input(accumulators[1], value)
    assert combine.extract_output(combine.merge_accumulators(accumulators)) == statistics_of(values)
    assert combine.merge_accumulators([]) == Statistics()


def test_made_up_events_are_in_order_and_repeat():
    events = call_events(50, seed=1)
    assert events == call_events(50, seed=1) and [one.at for one in events] == sorted(one.at for one in events)
    assert len({one.event_id for one in events}) == 50 and call_events(0) == ()
