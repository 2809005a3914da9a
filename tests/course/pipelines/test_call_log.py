"""A call log as a stream: a watermark guessed from the log, and the commands that make and play one."""

import json
from collections import Counter

import pytest
from click.testing import CliRunner

from course.pipelines.command import pipelines
from course.pipelines.made_up import call_events, log_lines
from course.pipelines.streaming import (
    Arrival,
    Watermark,
    arrived,
    in_batch,
    last_of_each,
    n_lost,
    once,
    pane_line,
    pane_order,
    panes,
    parse_event,
    script_of,
)

FEW = 90


def test_what_was_planted_is_in_the_log():
    raw = log_lines(200, seed=4)
    assert raw == log_lines(200, seed=4) != log_lines(200, seed=5)
    parsed = [parse_event(line) for line in raw.lines]
    assert parsed.count(None) == raw.planted["no event"] == 10
    ids = Counter(event.event_id for event in parsed if event)
    assert sum(times - 1 for times in ids.values()) == raw.planted["delivered twice"] == 10
    assert {event.event_id: event for event in parsed if event} == {e.event_id: e for e in call_events(200, seed=4)}
    ends = [event.at for event in parsed if event]
    assert sum(later < earlier for earlier, later in zip(ends, ends[1:], strict=False)) > 10, "out of order"
    assert log_lines(0).lines == ()


def test_the_watermark_stays_behind_the_latest_event_and_never_goes_back():
    script, dead = script_of(log_lines(300).lines, lag=120, tick=60)
    assert len(dead) == 15
    latest, marks = 0.0, []
    for step in script:
        if isinstance(step, Arrival):
            latest = max([latest, *(event.at for event in step.events)])
        else:
            assert latest - 120 - 60 < step.at <= latest - 120 and step.at % 60 == 0
            marks.append(step.at)
    assert marks == sorted(set(marks)) and len(marks) > 20


def test_nothing_is_lost_from_the_script():
    raw = log_lines(100)
    script, dead = script_of(raw.lines, lag=60)
    assert [e.model_dump_json().encode() for e in arrived(script)] + dead == sorted(raw.lines, key=lambda x: x in dead)
    assert script_of([], 0) == ([], [])


def test_the_more_lateness_the_fewer_events_are_lost_and_with_enough_none():
    script, _ = script_of(log_lines(400).lines, lag=60)
    lost = []
    for lateness in (0, 600, 3600, 10_000):
        given, dropped = panes(script, 600, lateness)
        lost.append(n_lost(script, given))
        assert lost[-1] <= len(dropped)
    assert lost == sorted(lost, reverse=True) and lost[0] > lost[-1] == 0
    assert last_of_each(given) == last_of_each(reversed(given)) == in_batch(once(arrived(script)), 600)


def test_a_watermark_that_waits_longer_makes_fewer_late_panes():
    late = []
    for lag in (0, 120, 7300):
        script, _ = script_of(log_lines(400).lines, lag)
        late.append(Counter(pane.timing for pane in panes(script, 600, 7200)[0])["late"])
    assert late[0] > late[1] > late[2] == 0, "nothing is stuck for longer than two hours"


@pytest.mark.parametrize(("lag", "tick"), [(-1, 60), (60, 0), (float("nan"), 60)])
def test_a_lag_below_zero_and_a_tick_of_none_are_refused(lag, tick):
    with pytest.raises(ValueError, match="try|Try"):
        script_of([], lag, tick)


def test_beam_gives_the_same_panes():
    from course.pipelines.stream_transforms import panes_through_beam

    script, _ = script_of(log_lines(FEW, seed=4).lines, lag=60, tick=120)
    given, dropped = panes(script, 120, 240)
    assert dropped and {pane.timing for pane in given} == {"on time", "late"}
    assert panes_through_beam(script, 120, 240) == sorted(given, key=pane_order)


def test_the_commands(tmp_path):
    invoke = CliRunner().invoke
    log, out = str(tmp_path / "log.jsonl"), tmp_path / "panes.jsonl"
    made = invoke(pipelines, ["make-log", log, "--events", str(FEW), "--seed", "2"])
    assert made.exit_code == 0 and f"{FEW + 8} lines" in made.output
    played = invoke(pipelines, ["stream", log, "--size", "300", "-o", str(out)])
    assert played.exit_code == 0 and "came too late" in played.output
    script, _ = script_of(log_lines(FEW, seed=2).lines, 120)
    expected = sorted(panes(script, 300, 1800)[0], key=pane_order)
    assert out.read_text().splitlines() == [pane_line(pane) for pane in expected]
    assert json.loads(pane_line(expected[0]))["calls"] == expected[0].statistics.count
    assert invoke(pipelines, ["stream", str(tmp_path / "none")]).exit_code == 2


def test_watermarks_are_steps_of_the_script():
    script, _ = script_of([call_events(1)[0].model_dump_json()], lag=0, tick=1)
    assert [type(step) for step in script] == [Arrival, Watermark]
