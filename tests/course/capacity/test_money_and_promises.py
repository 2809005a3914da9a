"""Error budgets, burn rates, alerts, costs and checkpoints, against sums by hand, slow loops and simulation."""

import math

import numpy as np
import pytest
import scipy.optimize
from hypothesis import given, settings
from hypothesis import strategies as st

from course.capacity import (
    SRE_ALERTS,
    Alert,
    burn_rate,
    burn_rates,
    cost_per_audio_hour,
    cost_per_million_tokens,
    daly_interval,
    error_budget,
    expected_seconds,
    fire,
    firing,
    run_preempted,
    young_interval,
)

counts = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=40)


def test_a_budget_and_its_burn_rate():
    assert error_budget(0.999, 43_200_000) == pytest.approx(43_200)
    assert burn_rate(10, 1_000, 0.999) == pytest.approx(10) and burn_rate(0, 0, 0.999) == 0
    assert burn_rate(error_budget(0.99, 500), 500, 0.99) == pytest.approx(1)


def test_the_rules_are_those_of_the_workbook():
    rows = [(a.long, a.short, a.factor, a.action) for a in SRE_ALERTS]
    assert rows == [(60, 5, 14.4, "page"), (360, 30, 6.0, "page"), (4320, 360, 1.0, "ticket")]
    assert [alert.spends for alert in SRE_ALERTS] == pytest.approx([0.02, 0.05, 0.1])


@given(counts, st.integers(1, 15))
def test_a_window_is_a_sum(rows, window):
    came = np.array([max(row) for row in rows], dtype=float)
    bad = np.array([min(row) for row in rows], dtype=float)
    found = burn_rates(came, bad, 0.9, window)
    for minute in range(len(rows)):
        part = slice(max(0, minute + 1 - window), minute + 1)
        assert found[minute] == pytest.approx(burn_rate(bad[part].sum(), came[part].sum(), 0.9), abs=1e-9)


def test_a_rule_needs_both_windows():
    came, bad = np.full(200, 100.0), np.zeros(200)
    bad[100:110] = 100
    rule = Alert(60, 5, 14.4, "page")
    minutes = np.flatnonzero(firing(rule, came, bad, 0.99))
    assert minutes[0] == 108  # nine bad minutes of sixty are 15 % or more, and 14.4 % is asked for
    assert minutes[-1] == 113  # the short window has a bad minute of five until then


def test_when_rules_act():
    came, bad = np.full(9_000, 1_000.0), np.zeros(9_000)
    bad[4_320:] = 5
    found = fire(SRE_ALERTS, came, bad, 0.999)
    assert found["page, 1 h, 14.4 ×"] is None and found["page, 6 h, 6 ×"] is None
    assert found["ticket, 72 h, 1 ×"] == 4_320 + 864  # 864 minutes at 5 of 4,320 are 1


@given(st.floats(0.01, 100), st.floats(0.1, 1e5), st.floats(0.01, 1))
def test_costs_are_a_bill_over_what_was_done(price, per_second, busy):
    hours = 7
    done = per_second * 3600 * hours * busy
    assert cost_per_million_tokens(price, per_second, busy) == pytest.approx(1e6 * price * hours / done)
    factor = 1 / per_second
    assert cost_per_audio_hour(price, factor, busy) == pytest.approx(price * hours / (done / 3600))


@pytest.mark.parametrize(("save", "between"), [(60, 14_400), (5, 3_600), (300, 7_200)])
def test_the_intervals_are_near_the_bottom_of_the_exact_curve(save, between):
    def cost(every):
        return expected_seconds(1e6 * every, every, save, 30, between) / (1e6 * every)

    best = scipy.optimize.minimize_scalar(cost, bounds=(1, 10 * between), method="bounded").x
    assert daly_interval(save, between) == pytest.approx(best, rel=0.02)
    assert young_interval(save, between) == pytest.approx(best, rel=0.2)
    assert cost(daly_interval(save, between)) <= cost(young_interval(save, between)) * (1 + 1e-9)


def test_daly_saves_once_between_two_losses_where_saving_takes_longer():
    assert daly_interval(100.0, 40.0) == 40.0


@pytest.mark.parametrize("every", [100, 700, 2_500, 9_000])
def test_the_formula_describes_a_simulation(every):
    job = (8_000, every, 40, 90, 3_000)
    runs = [run_preempted(*job, seed=seed) for seed in range(3_000)]
    assert np.mean([run.seconds for run in runs]) == pytest.approx(expected_seconds(*job), rel=0.05)
    assert np.mean([run.losses for run in runs]) == pytest.approx(expected_seconds(*job) / 3_000, rel=0.1)


@settings(max_examples=50)
@given(st.floats(1, 1e4), st.floats(1, 1e4), st.floats(0, 50))
def test_a_machine_that_stays_takes_work_and_saving(work, every, save):
    pieces = math.ceil(work / every - 1e-12)
    found = run_preempted(work, every, save, 10, 1e12, seed=0)
    assert found.losses == 0 and found.seconds == pytest.approx(work + pieces * save, rel=1e-6)
    assert expected_seconds(work, every, save, 10, 1e12) == pytest.approx(work + pieces * save, rel=1e-3)


def test_a_job_that_never_ends_says_so():
    assert math.isinf(expected_seconds(1e6, 1e6, 1, 1, 100))
    with pytest.raises(ValueError, match="Save more often"):
        run_preempted(1e6, 1e6, 1, 1, 100, seed=0)


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: error_budget(99.9, 100), ValueError, "0.99.*99.9"),
        (lambda: burn_rate(5, 4, 0.99), ValueError, "At most 4 bad"),
        (lambda: burn_rates([1, 2], [1], 0.99, 1), ValueError, "2 and 1"),
        (lambda: burn_rates([1], [2], 0.99, 1), ValueError, "more came"),
        (lambda: burn_rates([1], [0], 0.99, 0), ValueError, "window"),
        (lambda: Alert(5, 60, 1.0, "page"), ValueError, "long window"),
        (lambda: cost_per_million_tokens(0, 10, 0.5), ValueError, "price"),
        (lambda: cost_per_audio_hour(1, 0.03, 60), ValueError, "Write 60 % as 0.6"),
        (lambda: cost_per_audio_hour(1, 0.03, 0), ValueError, "utilisation"),
        (lambda: young_interval(0, 10), ValueError, "checkpoint"),
        (lambda: expected_seconds(10, 0, 1, 1, 10), ValueError, "between checkpoints"),
        (lambda: run_preempted(10, "often", 1, 1, 10, 0), TypeError, "often"),
    ],
    ids=range(12),
)
def test_what_cannot_be_is_refused_with_a_sentence(call, error, said):
    with pytest.raises(error, match=said):
        call()
