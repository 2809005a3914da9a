"""Planted mistakes: each is found by the rule that is meant for it, and the honest measurement passes."""

import io

import numpy as np
import pytest
from rich.console import Console

from course.measure.rehearsal import (
    BUGS,
    HONEST,
    Headline,
    Measurement,
    NoSynchronisation,
    Row,
    Server,
    rehearse,
    show_matrix,
)
from course.measure.rules import RULES
from course.measure.verify import holds, verify

SEEDS = 200


def broken(record):
    return {finding.rule.name for finding in verify(record) if finding.held is False}


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
def test_each_mistake_is_found_by_its_rule(bug):
    for seed in range(5):
        assert bug.caught_by in broken(bug(seed).record()), seed


def test_each_rule_has_a_mistake_that_it_is_meant_for():
    names = {rule.name for rule in RULES}
    assert {bug.caught_by for bug in BUGS} == names
    assert all(not kind.caught_by for kind in HONEST)


@pytest.mark.parametrize("kind", HONEST, ids=lambda kind: kind.__name__)
def test_the_honest_measurement_passes_whatever_the_seed(kind):
    found = {seed: names for seed in range(SEEDS) if (names := broken(kind(seed).record()))}
    assert found == {}


def test_the_honest_speed_up_is_right():
    """The interval holds the truth as often as it says, over many fake devices."""
    inside = 0
    for seed in range(60):
        (claim,) = [
            claim
            for claim in Measurement(seed).record().claims
            if claim.statistic == "speed-up" and claim.phase == "decode"
        ]
        assert claim.value == pytest.approx(2.0, rel=0.03)
        inside += claim.low <= 2.0 <= claim.high
    assert inside >= 50


def test_mistakes_report_visibly_wrong_numbers():
    """By how much: reported over true, at the median of a few seeds."""
    by_name = {kind.__name__: kind for kind in BUGS}

    def off(name):
        ratios = []
        for seed in range(5):
            measurement = by_name[name](seed)
            headline = measurement.headline(measurement.record())
            ratios.append(headline.reported / headline.true)
        return np.median(ratios)

    assert off("NoSynchronisation") < 0.01
    assert off("NoWarmUp") > 3
    assert off("WrongFlopCount") == pytest.approx(2)
    assert off("UnequalWork") > 1.2
    assert off("WarmCache") < 0.1
    assert off("ErrorNotAskedFor") < 0.01
    assert off("MeanOfTwoModes") > 1.2
    assert off("CoordinatedOmission") < 0.6
    assert off("OneAfterTheOther") > 1.05


def test_the_same_seed_is_the_same_record():
    assert Server(4).record() == Server(4).record() != Server(5).record()


def test_the_matrix_shows_every_row_and_what_found_it():
    rows = rehearse(1)
    console = Console(width=200, file=io.StringIO())
    show_matrix(rows, console)
    text = console.file.getvalue()
    for row in rows:
        assert row.measurement.title in text
        assert row.measurement.caught_by in text
        assert not row.measurement.caught_by or f"not {row.measurement.caught_by}" not in text
    assert [row.measurement for row in rows] == [*HONEST, *BUGS]
    assert all(holds(row.findings) == (not row.measurement.caught_by) for row in rows)


def test_the_matrix_says_what_was_not_found():
    console = Console(width=200, file=io.StringIO())
    show_matrix([Row(NoSynchronisation, Headline("milliseconds", 1.0, 2.0), ())], console)
    assert "not synchronised" in console.file.getvalue()
