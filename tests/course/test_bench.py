"""The benchmarks' own ground: intervals against closed forms, records that follow from their samples, trials, exits."""

import io
import json
import math
import sys
from itertools import combinations_with_replacement
from math import comb

import click
import numpy as np
import pytest
from click.testing import CliRunner
from pydantic import ValidationError
from rich.console import Console

from course.bench import statistics
from course.bench.record import Bar, Record, Sample, estimate, ratio, values
from course.bench.report import keep, measure, show
from course.bench.statistics import FEWEST, LEVEL, Interval, growth, median_interval, ratio_interval
from course.bench.trials import Command, Trial, in_rounds, peak_of, seconds_of
from course.command.bench import bench
from course.errors import CourseError
from course.plotting import panels

MIB = 1 << 20


def samples(variant, numbers, first=0, **more):
    """A sample of "time" for each number, each of a trial of its own."""
    return [
        Sample(trial=first + place, quantity="time", variant=variant, unit="s", value=number, **more)
        for place, number in enumerate(numbers)
    ]


def record_of(found, judge=lambda samples, found: ([], []), **more):
    """A record measured with trials that give these samples, one trial each."""
    trials = [Trial(f"trial {place}", 1, lambda one=one: [one]) for place, one in enumerate(found)]
    return measure("demo", trials, 3, {}, judge, Console(quiet=True), dict)


def exact_median_quantile(ordered, level):
    """The quantile of a resample's median: it is at most the k-th smallest if more than half of the draws are."""
    n = len(ordered)
    for k in range(1, n + 1):
        at_most = sum(comb(n, j) * (k / n) ** j * (1 - k / n) ** (n - j) for j in range(n // 2 + 1, n + 1))
        if at_most >= level:
            return ordered[k - 1]


@pytest.mark.parametrize("n", [7, 11, 13])
def test_the_interval_of_a_median_is_that_of_all_resamples(n):
    numbers = np.random.default_rng(n).lognormal(size=n)
    ordered = sorted(numbers)
    low, high = (exact_median_quantile(ordered, level) for level in (0.025, 0.975))
    assert median_interval(numbers) == pytest.approx((low, high), rel=1e-12)


def test_the_median_of_four_resampled_in_full(monkeypatch):
    """For an even number, against the list of all 4⁴ resamples."""
    monkeypatch.setattr(statistics, "FEWEST", 4)
    numbers = [1.0, 2.0, 4.0, 8.0]
    weighted = [
        (np.median(draw), math.factorial(4) // math.prod(math.factorial(draw.count(one)) for one in numbers))
        for draw in combinations_with_replacement(numbers, 4)
    ]
    medians = np.sort(np.repeat([median for median, _ in weighted], [weight for _, weight in weighted]))
    assert medians.size == 4**4
    expected = np.quantile(medians, [0.025, 0.975], method="inverted_cdf")
    assert median_interval(numbers) == pytest.approx(expected)


def test_six_is_the_fewest_whose_range_holds_the_median():
    assert 1 - 2.0 ** (1 - FEWEST) >= LEVEL > 1 - 2.0 ** (2 - FEWEST)
    assert median_interval([1.0] * (FEWEST - 1)) is None
    assert median_interval([1.0] * FEWEST) == (1.0, 1.0)
    assert ratio_interval([1.0] * FEWEST, [1.0] * (FEWEST - 1)) is None


def test_constants_have_an_exact_ratio():
    assert ratio_interval([6.0] * 8, [3.0] * 6) == (2.0, 2.0)


def test_intervals_of_ratios_hold_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(0)
    held = sum(
        ratio_interval(rng.lognormal(1.0, 0.3, 15), rng.lognormal(0.0, 0.3, 15)).contains(math.e) for _ in range(200)
    )
    assert 0.88 <= held / 200 <= 0.995


def test_growth_finds_the_curve_behind_exact_times():
    sizes = [10, 30, 100, 300, 1000] * 2
    found = growth(sizes, [3.0 + 0.02 * n**1.3 for n in sizes])
    assert (found.fixed, found.each, found.exponent) == pytest.approx((3.0, 0.02, 1.3), rel=1e-4)
    assert found.seconds(400) == pytest.approx(3.0 + 0.02 * 400**1.3, rel=1e-4)


def test_growth_tells_a_square_from_a_line():
    rng, sizes = np.random.default_rng(1), np.repeat([10, 30, 100, 300, 1000], 3)
    noise = rng.normal(1, 0.03, sizes.size)
    line = growth(sizes, (4 + 0.1 * sizes) * noise)
    square = growth(sizes, (4 + 0.001 * sizes**2.0) * noise)
    assert line.interval.high < 1.2 < 1.8 < square.interval.low


@pytest.mark.parametrize("sizes", [[], [10, 30, 100], [10] * 9])
def test_too_few_sizes_fix_no_growth(sizes):
    assert growth(sizes, [1.0] * len(sizes)) is None


def test_a_trial_counts_once_and_its_warm_ups_do_not():
    trial = samples("warm", [9.0], warm_up=True) + [
        one.model_copy(update={"trial": 0}) for one in samples("warm", [1, 2, 6])
    ]
    later = samples("warm", [5.0], first=1)
    assert values(trial + later, "time", "warm") == [2, 5]
    assert estimate(trial + later, "time", "warm").median == 3.5
    assert estimate(trial + later, "time", "warm").interval is None
    with pytest.raises(ValueError, match="no sample"):
        estimate(trial, "time", "cold")


def test_a_ratio_whose_interval_contains_1_is_refused():
    found = samples("a", [1, 2, 3, 4, 5, 6]) + samples("b", [1.1, 2.1, 3.1, 4.1, 5.1, 6.1], first=6)
    one = ratio(found, "time", "a", "b")
    assert one.value is None
    assert one.interval.low < 1 < one.interval.high
    assert "contains 1" in one.refused


def test_a_ratio_of_too_few_trials_is_refused():
    one = ratio(samples("a", [10] * 5) + samples("b", [1] * 6, first=5), "time", "a", "b")
    assert (one.value, one.interval) == (None, None)
    assert one.refused.startswith("5 trials")


def test_a_clear_ratio_is_given():
    one = ratio(samples("a", [10, 11, 12, 10, 11, 12]) + samples("b", [1] * 6, first=6), "time", "a", "b")
    assert (one.value, one.refused) == (11, None)
    assert one.interval == (10, 12)


@pytest.mark.parametrize(
    ("side", "limit", "interval", "met"),
    [
        ("at least", 10, Interval(10.0, 14.0), True),
        ("at least", 10, Interval(9.9, 14.0), False),
        ("below", 1.5, Interval(0.4, 1.49), True),
        ("below", 1.5, Interval(0.4, 1.5), False),
        ("below", 1.5, None, None),
    ],
)
def test_a_bar_is_met_by_the_whole_interval(side, limit, interval, met):
    assert Bar("speed", limit, side).judge(interval).met is met


def test_a_record_comes_back_from_its_file(tmp_path):
    def judge(found, findings):
        return [ratio(found, "time", "a", "b")], [Bar("time", 3, "below").judge(median_interval([2] * 6))]

    record = record_of(samples("a", [2, 2, 2, 2, 2, 2]) + samples("b", [1] * 6), judge)
    keep(record, panels().figure, tmp_path, Console(quiet=True))
    assert Record.read(tmp_path / "demo.json") == record
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".svg", ".png"}
    assert sorted(record.order) == sorted(f"trial {place}" for place in range(12))
    assert record.machine.cores >= 1 and record.machine.memory_bytes > 0 and record.machine.packages["nbgrader"]
    assert record.passed
    console = Console(width=120, file=io.StringIO())
    show(record, console)
    text = console.file.getvalue()
    assert "bar met time: below 3; measured 2 to 2." in text and "time, a / b: 2 (2 to 2)" in text


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("estimates", 0, "median"), 1.0),
        (("estimates", 0, "trials"), 60),
        (("ratios", 0, "value"), 100.0),
        (("ratios", 0, "refused"), None),
        (("samples", 0, "trial"), 12),
        (("samples", 0, "value"), -1.0),
        (("samples", 0, "value"), "NaN"),
        (("samples", 0, "unit"), "furlongs"),
        (("schema_version",), 2),
        (("remark",), "trust me"),
    ],
)
def test_a_record_that_does_not_follow_from_its_samples_is_refused(place, value):
    found = samples("a", [1, 2, 3, 4, 5, 6]) + samples("b", [2, 3, 4, 5, 6, 7])
    record = record_of(found, lambda found, _: ([ratio(found, "time", "a", "b")], []))
    content = json.loads(record.model_dump_json())
    Record.model_validate(content)
    part = content
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = value
    with pytest.raises(ValidationError):
        Record.model_validate(content)


def test_a_trial_that_fails_is_a_fault_and_the_others_go_on():
    def broken():
        raise CourseError("the release is missing")

    (good,) = samples("a", [1.0])
    trials = [Trial("good", 2, lambda: [good]), Trial("broken", 1, broken)]
    record = measure("demo", trials, 3, {}, lambda samples, found: ([], []), Console(quiet=True), dict)
    assert len(record.samples) == 2
    assert len(record.faults) == 1 and "broken: the release is missing" in record.faults[0]
    assert not record.passed
    assert {record.order[sample.trial] for sample in record.samples} == {"good"}


def test_what_fails_after_the_trials_costs_no_samples():
    def broken():
        raise CourseError("no browser")

    trials = [Trial("good", 1, lambda: samples("a", [1.0]))]
    record = measure("demo", trials, 3, {}, lambda samples, found: ([], []), Console(quiet=True), broken)
    assert (len(record.samples), record.findings) == (1, {})
    assert record.faults == ("after the trials: no browser",)


def test_rounds_are_shuffled_whole():
    trials = [Trial(name, rounds, list) for name, rounds in (("a", 4), ("b", 4), ("c", 4), ("d", 1))]
    names = [trial.name for trial in in_rounds(trials, seed=5)]
    assert sorted(names[:4]) == ["a", "b", "c", "d"]
    assert [sorted(names[start : start + 3]) for start in (4, 7, 10)] == [["a", "b", "c"]] * 3
    assert names == [trial.name for trial in in_rounds(trials, seed=5)]
    orders = {tuple(trial.name for trial in in_rounds(trials, seed)) for seed in range(8)}
    assert len(orders) > 4


def python(tmp_path, code):
    return Command((sys.executable, "-c", code), tmp_path, {})


def test_commands_run_side_by_side(tmp_path):
    """Each waits for the other's file, so that one after the other would not come to an end."""
    code = "import pathlib, time\npathlib.Path({!r}).touch()\nwhile not pathlib.Path({!r}).exists(): time.sleep(0.01)"
    commands = [python(tmp_path, code.format(*pair)) for pair in (("one", "two"), ("two", "one"))]
    assert seconds_of(commands) > 0


@pytest.mark.parametrize("run", [seconds_of, peak_of])
def test_a_command_that_fails_says_what_it_printed(tmp_path, run):
    with pytest.raises(CourseError, match="status 3") as failed:
        run([python(tmp_path, "print('no space left')\nraise SystemExit(3)")])
    assert "no space left" in str(failed.value)


def test_peak_memory_counts_descendants(tmp_path):
    """A child of a child that holds 100 MiB until the file that its grandparent writes is there."""
    inner = f"import time\nheld = bytearray({100 * MIB})\nprint(len(held), flush=True)\ntime.sleep(1)"
    outer = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {inner!r}], check=True)"
    peak = peak_of([python(tmp_path, outer)])
    assert 100 * MIB < peak.proportional < 180 * MIB
    assert peak.resident >= peak.proportional


@pytest.fixture
def benchmarks(monkeypatch):
    """Two benchmarks in place of the kit's; the second exits with the status it is given."""
    asked = []

    def benchmark(name, status):
        @click.command(name)
        def run(**options):
            asked.append((name, options))
            raise SystemExit(status)

        return run

    def offer(**statuses):
        for name, status in statuses.items():
            monkeypatch.setitem(bench.commands, name, benchmark(name, status))
        monkeypatch.setattr(bench, "rooms", "no.such.group")
        return asked

    return offer


def test_all_runs_every_benchmark_and_hands_its_options_on(benchmarks, tmp_path):
    asked = benchmarks(first=0, second=0)
    done = CliRunner().invoke(bench, ["all", "--quick", "-o", str(tmp_path)])
    assert done.exit_code == 0
    assert asked == [(name, {"output": tmp_path, "quick": True}) for name in ("first", "second")]


def test_all_fails_with_one_and_runs_the_others(benchmarks):
    asked = benchmarks(first=1, second=0)
    done = CliRunner().invoke(bench, ["all"])
    assert done.exit_code == 1
    assert "first" in done.output and "second" not in done.output
    assert len(asked) == 2
