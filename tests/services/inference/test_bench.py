"""The benchmark judges only what its samples carry, and its load is what it says."""

from collections import Counter

import pytest

from course.bench.record import Sample
from services.inference import bench
from services.inference.load import Outcome, burst, closed_loop, soak


def samples(alone, together, latencies=10):
    """Six rounds of each variant."""
    made = []
    for variant, rate, seconds in ((bench.ALONE, alone, 2.0), (bench.TOGETHER, together, 1.0)):
        for trial in range(6):
            made.append(
                Sample(trial=trial, quantity=bench.THROUGHPUT, variant=variant, unit="per minute", value=rate + trial)
            )
            for number in range(latencies):
                value = seconds + 0.001 * number
                made.append(Sample(trial=trial, quantity=bench.LATENCY, variant=variant, unit="s", value=value))
    return made


def told(**statuses):
    counted = {name.strip("_"): count for name, count in statuses.items()}
    return {"statuses": counted, "failed": Outcome(statuses=Counter({int(k): v for k, v in counted.items()})).failed}


def verdicts(made, found):
    return {verdict.bar.partition(":")[0]: verdict.met for verdict in bench.judge(made, found)[1]}


def test_bars_are_met_missed_or_not_judged_as_the_samples_say():
    looks = [(float(second), 500 * bench.MIB) for second in range(600)]
    found = {
        bench.OVERLOAD: told(_200=40, _429=20),
        bench.SOAK: told(_200=9) | {"looks": looks, "growth_mib": bench.growth(looks)},
    }
    assert set(verdicts(samples(30, 130, 200), found).values()) == {True}
    few = verdicts(samples(30, 130), {})
    assert list(few.values()) == [True, None]
    assert list(verdicts(samples(30, 60, 200), {}).values()) == [False, True]
    assert list(verdicts(samples(130, 30, 200)[:7], {}).values()) == [None, None]


@pytest.mark.parametrize("statuses", [{"_200": 40, "_500": 1}, {"_200": 40, "_0": 1}, {"_503": 3}])
def test_a_request_that_fails_is_a_bar_that_is_missed(statuses):
    assert bench.nobody_failed("overload", told(**statuses)).met is False


def test_memory_that_grows_is_seen_and_a_short_look_judges_nothing():
    growing = [(float(second), 500 * bench.MIB + second * 200_000) for second in range(600)]
    low, high = bench.growth(growing)
    assert low <= 600 * 200_000 / bench.MIB <= high
    assert bench.FLAT.judge(bench.Interval(low, high)).met is False
    warming = [(float(second), 500 * bench.MIB - max(0, 150 - second) * 10**6) for second in range(600)]
    assert bench.growth(warming) == (0.0, 0.0)
    assert bench.growth(growing[:100]) is None and bench.growth(growing[::40]) is None


def test_loads_count_every_request(service):
    import psutil

    one = service(max_queue=4)
    with one.serving() as (address, _):
        outcome = closed_loop(address, callers=3, requests=10, tokens=3)
        assert outcome.statuses == {200: 10} and len(outcome.seconds) == 10 and outcome.failed == 0
        assert 0 < outcome.tokens <= 30 and outcome.elapsed >= max(outcome.seconds)
        crowd = burst(address, 40, 3)
        assert sum(crowd.statuses.values()) == 40 and set(crowd.statuses) <= {200, 429} and crowd.failed == 0
        mixed, looks = soak(address, psutil.Process(), 0.5, callers=3, tokens=4)
        assert set(mixed.statuses) <= {200, 429} and len(looks) > 3


def test_a_service_that_does_not_start_is_told(monkeypatch):
    from course.errors import CourseError
    from services.inference.load import served

    with pytest.raises(CourseError, match="expected to start.*INFERENCE_MAX_BATCH"), served("fake", max_batch=0):
        pass


def test_the_figure_shows_what_was_found():
    from datetime import UTC, datetime

    from course.bench.machine import this_machine
    from course.bench.record import Record

    record = Record(
        benchmark="services", started=datetime.now(UTC), seconds=1, commit="", machine=this_machine(),
        load_before=(0, 0, 0), load_after=(0, 0, 0), settings={}, order=("a",) * 6, samples=tuple(samples(30, 130)),
        findings={bench.SOAK: {"looks": [(0.0, bench.MIB), (1.0, 2 * bench.MIB)]}},
    )  # fmt: skip
    figure = bench.draw(record)
    titles = [ax.get_title("left") or ax.get_title() for ax in figure.axes]
    assert titles == ["Answers per minute", "Memory of the service under mixed load"]
    assert figure.axes[1].lines[0].get_ydata().tolist() == [1.0, 2.0]
