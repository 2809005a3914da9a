"""The benchmark judges what its samples carry, and draws it."""

from datetime import UTC, datetime

from course.bench.machine import this_machine
from course.bench.record import Record, Sample
from services.portal import bench


def samples(loop, beam):
    return [
        Sample(trial=trial, quantity=quantity, variant=variant, unit="per minute", value=60 * rate + trial)
        for quantity in (bench.FIRST, bench.AGAIN)
        for variant, rate in ((bench.LOOP, loop), (bench.BEAM, beam))
        for trial in range(6)
    ]


def test_bars_are_met_missed_or_not_judged_as_the_samples_say():
    said = {"drill": "3 of 3 were killed."}
    assert [one.met for one in bench.judge(samples(9000, 6000), said)[1]] == [True, True, True]
    ratios, verdicts = bench.judge(samples(9000, 4000), {})
    assert [one.met for one in verdicts] == [True, False, None]
    assert [round(one.value, 2) for one in ratios] == [0.44, 0.44]
    assert [one.met for one in bench.judge(samples(9000, 6000)[:3], {})[1]] == [None, None, None]


def test_the_figure_shows_what_was_found():
    record = Record(
        benchmark="ingest", started=datetime.now(UTC), seconds=1, commit="", machine=this_machine(),
        load_before=(0, 0, 0), load_after=(0, 0, 0), settings={}, order=("a",) * 6, samples=tuple(samples(9000, 6000)),
    )  # fmt: skip
    (axes,) = bench.draw(record).axes
    assert axes.get_xlabel() == "1/s" and [round(bar.get_width() / 1000) for bar in axes.patches] == [9, 6]
