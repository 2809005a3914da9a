"""The numbers of the class view against NumPy, pandas and counting by hand."""

import json
import random
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from autograder.pages.charts import histogram, segments, trend
from autograder.pages.class_view import lab_view, mark, read_events
from autograder.result import Hint, Status, TaskResult


@pytest.mark.parametrize("max_score", [1, 7, 26, 100])
def test_histogram_counts_as_numpy_does(max_score):
    rng = np.random.default_rng(max_score)
    scores = rng.integers(0, max_score + 1, 500)
    plot = histogram(scores.tolist(), max_score)
    edges = [bar.low for bar in plot.bars] + [max_score + 1]
    assert [bar.count for bar in plot.bars] == np.histogram(scores, edges)[0].tolist()
    assert plot.bars[0].low == 0 and plot.bars[-1].high == max_score
    assert float(plot.median.label) == pytest.approx(np.median(scores))


def test_bars_are_as_tall_as_their_counts():
    plot = histogram([0, 1, 1, 1, 1], 3, width=400, height=100)
    assert [bar.height for bar in plot.bars] == [25, 100, 0, 0]
    assert [bar.y + bar.height for bar in plot.bars] == [100] * 4
    assert [bar.x for bar in plot.bars] == [0, 100, 200, 300]


def test_nobody_and_everybody_alike_can_be_drawn():
    assert [bar.count for bar in histogram([], 3).bars] == [0, 0, 0, 0]
    assert [bar.count for bar in histogram([3, 3], 3).bars] == [0, 0, 0, 2]


@pytest.mark.parametrize("span", [timedelta(minutes=30), timedelta(days=2), timedelta(days=40), timedelta(days=400)])
def test_trend_agrees_with_pandas(span):
    rng = random.Random(3)
    start = datetime(2026, 10, 7, 9, 13, tzinfo=UTC)
    events = [(start + rng.random() * span, float(rng.randint(0, 26))) for _ in range(300)]
    plot = trend(events, 26)
    step = {"10 minutes": "10min", "hour": "h", "6 hours": "6h", "day": "D", "week": "7D"}[plot.unit]
    table = pd.DataFrame(events, columns=["time", "score"]).set_index("time")
    groups = table.groupby(pd.Grouper(freq=step, origin=pd.Timestamp("2024-01-01", tz="UTC"))).score
    expected = groups.agg(["count", "median", lambda own: own.quantile(0.25)]).query("count > 0")
    assert [step.start for step in plot.steps] == expected.index.to_pydatetime().tolist()
    assert [step.count for step in plot.steps] == expected["count"].tolist()
    assert [step.middle for step in plot.steps] == pytest.approx(expected["median"].tolist())
    assert [step.low for step in plot.steps] == pytest.approx(expected.iloc[:, 2].tolist())
    assert max(step.x + step.width for step in plot.steps) <= plot.width + 1e-6


def test_segments_share_the_bar_by_points():
    found = segments([("one", "right", 3, 3), ("two", "not yet", 0, 1)])
    assert [(one.x, one.width) for one in found] == [(0, 75), (75, 25)]


@pytest.fixture(scope="module")
def results(shared_class):
    return shared_class[1]


def test_tasks_are_counted_over_those_whose_notebook_ran(results):
    view = lab_view(results)
    ran = [result for result in results if result.status not in ("malformed", "refused", "infrastructure")]
    for place, task in enumerate(view.tasks):
        column = [result.tasks[place] for result in ran]
        assert task.of == len(ran) < len(results)
        assert task.right == sum(one.score > 0 for one in column)
        assert task.unsolved == sum(one.unsolved for one in column)


def test_wrong_answers_are_put_together_by_their_failed_checks(results):
    view = lab_view(results)
    for place, task in enumerate(view.tasks):
        for mistake in task.mistakes:
            own = {one.student for one in results if one.student in mistake.students}
            failed = {one.tasks[place].failed for one in results if one.student in own}
            assert failed == {mistake.failed} and len(own) == len(mistake.students)
        sizes = [len(mistake.students) for mistake in task.mistakes]
        assert sizes == sorted(sizes, reverse=True)
        assert sum(sizes) + task.rarer == task.not_yet


def test_the_same_failed_checks_with_another_exception_are_another_mistake(make_result, lab01, wrong_of):
    task = lab01.tasks[0].id
    plain = make_result("ann", {task: wrong_of[task][0]})
    details = (Hint(text="h", error="NameError: name 'x' is not defined"),)
    first = plain.tasks[0].model_copy(update={"details": details})
    stopped = plain.model_copy(update={"student": "ben", "tasks": (first, *plain.tasks[1:])})
    mistakes = lab_view([plain, stopped]).tasks[0].mistakes
    assert [(one.errors, one.students) for one in mistakes] == [((), ("ann",)), (("NameError",), ("ben",))]


def test_who_is_stuck_and_who_was_refused(make_result, lab01):
    everything = {task.id: "unsolved" for task in lab01.tasks}
    good, lost = make_result("good"), make_result("lost", everything)
    timed_out = make_result("slow", status=Status.TIMEOUT)
    refused = make_result("linked", everything, Status.REFUSED, sentence="is a link")
    broken = make_result("broken", everything, Status.INFRASTRUCTURE, fault="the sandbox broke")
    view = lab_view([good, lost, timed_out, refused, broken])
    assert [stuck.result.student for stuck in view.stuck] == ["lost", "slow"]
    assert [(one.status, one.sentence, one.students) for one in view.outcomes] == [
        ("refused", "is a link", ("linked",)),
        ("infrastructure", "the sandbox broke", ("broken",)),
    ]
    assert view.median == np.median([26, 0, 26, 0])


def test_results_of_two_versions_of_a_lab_are_counted_task_by_task(make_result):
    whole = make_result("new")
    older = make_result("old").model_copy(update={"tasks": whole.tasks[:-1]})
    assert [task.of for task in lab_view([whole, older]).tasks] == [2] * (len(whole.tasks) - 1) + [1]


def test_events_count_each_notebook_once_and_pass_over_torn_lines(tmp_path):
    line = {"time": "2026-11-02T10:00:00+00:00", "lab": "a", "student": "s", "key": "k", "status": "graded"}
    line |= {"submission": "one", "score": 3, "max_score": 9}
    again = line | {"key": "k2", "score": 5, "time": "2026-11-09T10:00:00+00:00"}
    other = line | {"submission": "two", "score": 9, "handed_in": "2026-11-03 12:00:00+00:00"}
    lines = [json.dumps(one) for one in (line, again, other)]
    (tmp_path / "ledger.jsonl").write_text("\n".join([*lines, lines[0][:40], "[]", "7"]) + "\n")
    events = read_events(tmp_path / "ledger.jsonl")["a"]
    assert [(event.time.day, event.score, event.handed_in) for event in events] == [(2, 5, False), (3, 9, True)]
    assert read_events(tmp_path / "none.jsonl") == {}


def test_attempts_by_hand(make_result, tmp_path):
    base = {"lab": "a", "status": "graded", "key": "k", "max_score": 9}
    lines = [
        base | {"time": f"2026-11-0{day}T10:00:00+00:00", "student": who, "submission": f"{who}{day}", "score": score}
        for who, day, score in [("ann", 1, 2), ("ann", 2, 4), ("ben", 1, 5), ("cy", 3, 0), ("cy", 4, 9)]
    ]
    (tmp_path / "ledger.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    view = lab_view([make_result("ann")], read_events(tmp_path / "ledger.jsonl")["a"])
    found = [(one.number, one.students, one.first, one.last) for one in view.attempts]
    assert found == [(1, 1, 5, 5), (2, 2, 1, 6.5)]


def test_a_task_is_right_not_yet_or_not_begun():
    values = {"id": "a", "title": "A", "max_score": 2}
    assert mark(TaskResult(**values, score=2)) == "right"
    assert mark(TaskResult(**values, score=0)) == "not yet"
    assert mark(TaskResult(**values, score=0, unsolved=True)) == "unsolved"
