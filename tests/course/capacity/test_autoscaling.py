"""The autoscaler's rule against worked examples of its documentation, and what a run must obey whatever the traffic."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.capacity import Autoscaler, desired_replicas, run_autoscaler

CALM = Autoscaler(target=0.6, least=2, most=60)


@pytest.mark.parametrize(
    ("current", "measured", "target", "wanted"),
    [(1, 200, 100, 2), (2, 50, 100, 1), (50, 0.9, 0.75, 60), (3, 0.9, 0.6, 5), (10, 0.0, 0.5, 0), (7, 0.659, 0.6, 7)],
)
def test_the_rule_is_that_of_the_documentation(current, measured, target, wanted):
    assert desired_replicas(current, measured, target) == wanted


@given(st.integers(1, 1_000), st.integers(0, 300), st.integers(1, 100))
def test_the_rule_is_that_of_exact_arithmetic(current, measured, target):
    ratio = Fraction(measured, target)
    near = abs(ratio - 1) <= Fraction(1, 10)
    if abs(abs(ratio - 1) - Fraction(1, 10)) > Fraction(1, 10**9):
        assert desired_replicas(current, measured / 100, target / 100) == (
            current if near else -(-current * ratio // 1)
        )


traffics = st.lists(st.integers(0, 60), min_size=1, max_size=12).map(lambda levels: np.repeat(levels, 50).astype(float))
scalers = st.builds(
    Autoscaler,
    target=st.sampled_from([0.3, 0.6, 0.9]),
    least=st.integers(1, 3),
    most=st.integers(3, 40),
    cold_start=st.integers(0, 90),
    look_back=st.integers(1, 90),
    stabilisation=st.sampled_from([0, 60, 300]),
    patient=st.booleans(),
)


@given(traffics, scalers)
def test_a_run_keeps_its_limits_and_loses_nobody(rates, scaler):
    run = run_autoscaler(rates, 2.0, scaler)
    assert np.all((run.asked >= scaler.least) & (run.asked <= scaler.most)) and np.all(run.ready <= run.asked)
    assert np.all(run.ready >= 1) and np.all((run.utilisation >= 0) & (run.utilisation <= 1))
    served = (run.utilisation * run.ready * 2.0).sum()
    assert served + run.waiting[-1] == pytest.approx(rates.sum())
    assert np.allclose(run.delay, run.waiting / (2.0 * run.ready))


@given(traffics, scalers)
def test_a_replica_serves_a_cold_start_after_it_was_asked_for(rates, scaler):
    run = run_autoscaler(rates, 2.0, scaler)
    for second in np.flatnonzero(np.diff(run.ready) > 0) + 1:
        before = second - scaler.cold_start
        assert np.any(np.diff(run.asked[: before + 1])[max(0, before - 1) :] > 0)


def test_steady_traffic_is_left_alone():
    run = run_autoscaler(np.full(3_600, 24.0), 2.0, CALM)
    assert run.changes == 0 and run.asked[0] == 20 and run.waiting.max() == 0
    assert run.replica_hours == pytest.approx(20)


def test_the_bare_rule_swings_and_the_dampers_stop_it():
    rates = np.where(np.arange(3_600) < 600, 8.0, 24.0)
    bare = run_autoscaler(rates, 2.0, Autoscaler(target=0.6, least=2, most=60, stabilisation=0, patient=False))
    calm = run_autoscaler(rates, 2.0, CALM)
    assert np.ptp(bare.asked[1_800:]) > 40 and np.ptp(calm.asked[1_800:]) == 0
    assert calm.replica_hours < bare.replica_hours


def test_the_first_rush_waits_for_a_cold_start_whatever_the_rule():
    rates = np.where(np.arange(1_800) < 600, 8.0, 24.0)
    for cold in (60, 180):
        run = run_autoscaler(rates, 2.0, Autoscaler(target=0.6, least=2, most=60, cold_start=cold))
        assert run.delay.max() == pytest.approx((15 + cold) * (24 - 14) / 14, rel=0.02)


def test_going_down_waits_for_the_window():
    rates = np.where(np.arange(1_200) < 300, 24.0, 6.0)
    for window in (0, 120, 300):
        run = run_autoscaler(rates, 2.0, Autoscaler(target=0.6, least=2, most=60, stabilisation=window))
        first = np.flatnonzero(np.diff(run.asked) < 0)[0]
        assert first - 300 == pytest.approx(window + 15, abs=15)


def test_a_machine_to_begin_with():
    assert run_autoscaler([10.0], 2.0, CALM, start=4).ready[0] == 4


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: desired_replicas(0, 0.5, 0.6), ValueError, "replicas"),
        (lambda: desired_replicas(3, 0.5, 0.0), ValueError, "target"),
        (lambda: desired_replicas(3, -0.5, 0.6), ValueError, "measured"),
        (lambda: Autoscaler(target=60), ValueError, "between 0 and 1"),
        (lambda: Autoscaler(least=5, most=4), ValueError, "most replicas"),
        (lambda: Autoscaler(cold_start=-1), ValueError, "cold start"),
        (lambda: Autoscaler(period=0), ValueError, "period"),
        (lambda: run_autoscaler([], 2.0, CALM), ValueError, "At least one second"),
        (lambda: run_autoscaler([-1.0], 2.0, CALM), ValueError, "requests a second"),
        (lambda: run_autoscaler([1.0], 0.0, CALM), ValueError, "replica"),
    ],
    ids=range(10),
)
def test_what_cannot_be_is_refused_with_a_sentence(call, error, said):
    with pytest.raises(error, match=said):
        call()
