"""Formulas of queues against sums, products, other formulas and simulation."""

import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course.capacity import (
    Queue,
    erlang_b,
    erlang_c,
    halfin_whitt,
    mean_wait_general,
    number_inside,
    serve_in_order,
    servers_for,
    square_root_staffing,
)
from course.measure.scenarios import poisson_arrivals

rates = st.floats(0.01, 50)


def states(load, servers, most):
    """Probabilities of 0 to ``most`` requests inside an M/M/c, from the balance of neighbouring states."""
    weights = [Decimal(1)]
    for count in range(1, most + 1):
        weights.append(weights[-1] * load / min(count, servers))
    total = sum(weights)
    return [weight / total for weight in weights]


@pytest.mark.parametrize(("load", "servers"), [(0.5, 1), (3.0, 4), (9.5, 10), (60.0, 70), (0.001, 3), (80.0, 60)])
def test_erlang_b_is_the_last_state_of_a_queue_without_a_line(load, servers):
    assert erlang_b(load, servers) == pytest.approx(float(states(Decimal(load), servers, servers)[-1]), rel=1e-12)


@pytest.mark.parametrize(("load", "servers"), [(0.5, 1), (3.0, 4), (7.0, 10), (40.0, 50)])
def test_erlang_c_and_the_means_are_sums_over_states(load, servers):
    found = states(Decimal(load), servers, servers + 1500)
    queue = Queue(load / 2.0, 2.0, servers)
    assert queue.wait_probability == pytest.approx(float(sum(found[servers:])), rel=1e-9)
    inside = sum(count * chance for count, chance in enumerate(found))
    assert queue.mean_inside == pytest.approx(float(inside), rel=1e-9)


@pytest.mark.parametrize("servers", [1, 10, 100, 1_000, 10_000])
@pytest.mark.parametrize("busy", [1e-6, 0.5, 0.99, 0.999999])
def test_erlang_is_a_probability_for_any_number_of_servers(servers, busy):
    blocked, waits = erlang_b(busy * servers, servers), erlang_c(busy * servers, servers)
    assert 0 <= blocked <= waits <= 1


def test_erlang_c_of_ten_thousand_servers_is_that_of_exact_arithmetic():
    load, servers = 9_900, 10_000
    inverse = Decimal(1)
    for count in range(1, servers + 1):
        inverse = 1 + inverse * count / load
    exact = 1 / (1 + (inverse - 1) * (1 - Decimal(load) / servers))
    assert erlang_c(load, servers) == pytest.approx(float(exact), rel=1e-10)


def test_no_load_never_waits_and_too_much_always_does():
    assert erlang_b(0, 5) == 0 and erlang_c(0, 5) == 0
    for load in (5, 7.5):
        queue = Queue(load, 1.0, 5)
        assert erlang_c(load, 5) == 1
        assert (
            math.isinf(queue.mean_wait) and math.isinf(queue.latency_percentile(0.5)) and queue.latency_longer(9) == 1
        )
        assert math.isinf(queue.wait_percentile(0.5)) and queue.waits_longer(1e9) == 1


@given(rates, st.floats(0.01, 0.98))
def test_one_server_is_the_formula_of_every_book(rate, busy):
    queue = Queue(rate, busy / rate)
    assert queue.wait_probability == pytest.approx(busy)
    assert queue.mean_wait == pytest.approx(busy / (1 - busy) * queue.seconds)
    assert queue.latency_longer(queue.seconds) == pytest.approx(math.exp(-(1 - busy)), rel=1e-6)
    assert queue.latency_percentile(0.99) == pytest.approx(math.log(100) * queue.seconds / (1 - busy), rel=1e-6)


@given(st.floats(0.05, 0.98), st.integers(1, 40), st.floats(0.01, 0.999))
def test_percentiles_and_tails_agree(busy, servers, level):
    queue = Queue(busy * servers / 0.3, 0.3, servers)
    assert queue.latency_longer(queue.latency_percentile(level)) == pytest.approx(1 - level, rel=1e-6)
    waits = queue.wait_percentile(level)
    if waits:
        assert queue.waits_longer(waits) == pytest.approx(1 - level, rel=1e-9)
    else:
        assert queue.wait_probability <= 1 - level + 1e-12


@pytest.mark.parametrize("servers", [1, 2, 8])
def test_the_formulas_describe_a_simulation(servers):
    queue, n = Queue(0.8 * servers / 0.1, 0.1, servers), 200_000
    drawn = np.random.default_rng(5)
    served = serve_in_order(poisson_arrivals(queue.rate, n, 5), drawn.exponential(0.1, n), servers)
    assert (served.waits > 0).mean() == pytest.approx(queue.wait_probability, abs=0.02)
    assert served.waits.mean() == pytest.approx(queue.mean_wait, rel=0.1)
    for level in (0.5, 0.9, 0.99):
        assert np.quantile(served.latencies, level) == pytest.approx(queue.latency_percentile(level), rel=0.1)


@given(rates, st.floats(0.01, 0.98), st.floats(1, 20))
def test_the_general_formula_is_that_of_exponential_and_of_constant_times(rate, busy, spread):
    mean = busy / rate
    assert mean_wait_general(rate, mean, 2 * mean**2) == pytest.approx(Queue(rate, mean).mean_wait)
    assert mean_wait_general(rate, mean, mean**2) == pytest.approx(Queue(rate, mean).mean_wait / 2)
    assert mean_wait_general(rate, mean, spread * mean**2) == pytest.approx(
        spread * mean_wait_general(rate, mean, mean**2)
    )
    assert math.isinf(mean_wait_general(1.01 / mean, mean, 2 * mean**2))


def test_the_general_formula_describes_a_simulation_of_short_and_long_requests():
    drawn = np.random.default_rng(9)
    work = np.where(drawn.random(300_000) < 0.05, 2.0, 0.1)
    served = serve_in_order(poisson_arrivals(3.0, work.size, 9), work, 1)
    assert served.waits.mean() == pytest.approx(mean_wait_general(3.0, work.mean(), (work**2).mean()), rel=0.1)


@settings(max_examples=60)
@given(st.floats(0.01, 120), st.floats(0, 3), st.sampled_from([0.5, 0.9, 0.99, 0.9999]))
def test_servers_for_is_the_smallest_number_that_keeps_the_objective(load, within, level):
    found = servers_for(load / 2.0, 2.0, within, level)
    tried = next(c for c in range(1, 1000) if c > load and Queue(load / 2.0, 2.0, c).wait_percentile(level) <= within)
    assert found == tried


def test_more_traffic_or_a_tighter_promise_never_takes_fewer_servers():
    by_load = [servers_for(load, 1.0, 0.2, 0.99) for load in np.arange(1, 60, 0.7)]
    by_promise = [servers_for(30, 1.0, within, 0.99) for within in (10, 3, 1, 0.3, 0.1, 0)]
    assert by_load == sorted(by_load) and by_promise == sorted(by_promise)


def test_the_square_root_rule_keeps_the_share_that_waits():
    for beta in (0.5, 1.0, 2.0):
        for load in (1_000, 10_000):
            assert erlang_c(load, square_root_staffing(load, beta)) == pytest.approx(halfin_whitt(beta), rel=0.15)


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_little(rate, seconds):
    assert number_inside(rate, seconds) == rate * seconds


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: Queue(0, 1), ValueError, "rate.*0"),
        (lambda: Queue(1, -2), ValueError, "seconds of work"),
        (lambda: Queue(1, 1, 0), ValueError, "servers"),
        (lambda: Queue(1, 1, 2.5), TypeError, "whole number of servers"),
        (lambda: Queue("many", 1), TypeError, "rate.*many"),
        (lambda: Queue(math.nan, 1), ValueError, "rate.*nan"),
        (lambda: Queue(1, math.inf), ValueError, "inf"),
        (lambda: Queue(1, 0.5).wait_percentile(99), ValueError, "0.99.*99"),
        (lambda: Queue(1, 0.5).latency_percentile(1), ValueError, "between 0 and 1"),
        (lambda: Queue(1, 0.5).waits_longer(-1), ValueError, "seconds"),
        (lambda: erlang_b(-1, 2), ValueError, "load"),
        (lambda: erlang_c(1, 0), ValueError, "servers"),
        (lambda: mean_wait_general(1, 0.5, 0.2), ValueError, "Square each time first"),
        (lambda: servers_for(1e9, 1, 0.1, 0.99), ValueError, "Check the units"),
        (lambda: servers_for(1, 1, -0.1, 0.99), ValueError, "seconds allowed"),
        (lambda: square_root_staffing(10, 0), ValueError, "beta"),
        (lambda: number_inside(-1, 1), ValueError, "rate"),
    ],
    ids=range(17),
)
def test_what_cannot_be_is_refused_with_a_sentence(call, error, said):
    with pytest.raises(error, match=said):
        call()
