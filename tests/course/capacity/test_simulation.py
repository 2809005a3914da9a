"""Queues played through, against the library simpy, slow second ways and laws that any queue obeys."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course.capacity import (
    inside_at,
    poisson_by_period,
    serve_in_batches,
    serve_in_order,
    serve_partitioned,
    serve_time_sliced,
    serve_with_simpy,
)


@st.composite
def traffic(draw, most=40):
    n = draw(st.integers(1, most))
    gaps = draw(st.lists(st.integers(0, 6), min_size=n, max_size=n))
    work = draw(st.lists(st.integers(1, 9), min_size=n, max_size=n))
    return np.cumsum(gaps) / 4, np.array(work) / 2  # sums of quarters are exact


@given(traffic(), st.integers(1, 5))
def test_order_is_that_of_simpy(requests, servers):
    own, library = serve_in_order(*requests, servers), serve_with_simpy(*requests, servers)
    assert np.array_equal(own.started, library.started) and np.array_equal(own.ended, library.ended)


@given(traffic(), st.integers(1, 5))
def test_never_more_in_service_than_servers_and_nobody_waits_beside_a_free_one(requests, servers):
    served = serve_in_order(*requests, servers)
    for start, arrived in zip(served.started, served.arrived, strict=True):
        busy = np.count_nonzero((served.started <= start) & (served.ended > start))
        assert busy <= servers
        if start > arrived:
            assert np.count_nonzero((served.started < start) & (served.ended >= start)) >= servers
    assert np.all(np.diff(served.started) >= 0)


def sliced_by_small_steps(arrivals, work, step):
    """Time slicing in tiny steps: each who is inside gets an equal part of each."""
    left, ended, now = np.array(work), np.full(len(work), np.nan), 0.0
    while np.isnan(ended).any():
        inside = (arrivals <= now) & np.isnan(ended)
        if inside.any():
            left[inside] -= step / inside.sum()
        now += step
        ended[inside & (left <= 1e-9)] = now
    return ended


@settings(max_examples=15, deadline=None)
@given(traffic(most=6))
def test_time_slices_are_the_limit_of_small_steps(requests):
    found, slow = serve_time_sliced(*requests), sliced_by_small_steps(*requests, 1 / 512)
    assert np.allclose(found.ended, slow, atol=0.1)


@given(traffic())
def test_whoever_shares_a_server_keeps_it_as_busy(requests):
    """The last one ends at the same instant whatever the order: no work is lost and none is made."""
    assert serve_time_sliced(*requests).ended.max() == pytest.approx(serve_in_order(*requests, 1).ended.max())


@given(traffic())
def test_time_slices_of_one_at_a_time_are_the_work(requests):
    _, work = requests
    apart = np.cumsum(np.append(0, work[:-1] + 1.0))
    assert np.allclose(serve_time_sliced(apart, work).latencies, work)


@given(traffic(), st.integers(1, 7))
def test_partitions_are_queues_of_their_own(requests, parts):
    arrivals, work = requests
    found = serve_partitioned(arrivals, work, parts)
    for part in range(parts):
        alone = serve_with_simpy(arrivals[part::parts], parts * work[part::parts], 1)
        assert np.array_equal(found.ended[part::parts], alone.ended)


@given(traffic())
def test_a_batch_of_one_is_one_server(requests):
    arrivals, work = requests
    tokens = (2 * work).astype(int)
    found = serve_in_batches(arrivals, tokens, slots=1, step=0.5)
    assert np.allclose(found.ended, serve_in_order(arrivals, 0.5 * tokens, 1).ended)


def test_a_batch_by_hand():
    """Two at once are read in one step; a third joins after the next step, and its prompt holds the second one up."""
    found = serve_in_batches([0.0, 0.0, 1.5], [2, 4, 1], slots=3, step=1.0)
    assert found.started.tolist() == [0.0, 0.0, 2.0]
    assert found.ended.tolist() == [2.0, 5.0, 3.0]


def test_a_first_caller_waits_for_company_no_longer_than_it_may():
    assert serve_in_batches([0.0, 0.3, 9.0], [1, 1, 1], 4, 1.0, wait=0.5).started.tolist() == [0.5, 0.5, 9.5]
    assert serve_in_batches([0.0, 0.3, 9.0], [1, 1, 1], 2, 1.0, wait=0.5).started.tolist() == [0.3, 0.3, 9.5]


@given(traffic(), st.integers(1, 6))
def test_in_a_batch_nobody_is_faster_than_alone_and_slots_are_kept(requests, slots):
    arrivals, work = requests
    tokens = (2 * work).astype(int)
    found = serve_in_batches(arrivals, tokens, slots, step=0.25)
    assert np.all(found.ended - found.started >= 0.25 * tokens - 1e-9) and np.all(found.waits >= 0)
    assert all(np.count_nonzero((found.started <= at) & (found.ended > at)) <= slots for at in found.started)


def test_full_batches_let_one_in_between_two_steps():
    tokens = np.random.default_rng(1).integers(5, 25, 800)
    found = serve_in_batches(np.zeros(800), tokens, slots=16, step=1.0)
    assert 800 / found.ended.max() == pytest.approx(0.5, rel=0.1)  # a prompt and a step for each answer


def test_answers_of_one_length_that_begin_together_stay_together():
    found = serve_in_batches(np.zeros(64), np.full(64, 17), slots=16, step=1.0)
    assert np.unique(found.ended).tolist() == [17.0, 34.0, 51.0, 68.0]


@given(traffic(), st.integers(1, 3), st.floats(0, 60))
def test_inside_counts_those_who_have_come_and_not_gone(requests, servers, instant):
    served = serve_in_order(*requests, servers)
    counted = sum(a <= instant < e for a, e in zip(served.arrived, served.ended, strict=True))
    assert inside_at(served, [instant])[0] == counted


@given(traffic(), st.integers(1, 3))
def test_littles_law_holds_for_any_requests(requests, servers):
    served = serve_in_order(*requests, servers)
    times = np.arange(0, served.ended.max(), 0.25) + 0.125
    assert 0.25 * inside_at(served, times).sum() == pytest.approx(served.latencies.sum(), abs=1e-6)


def test_arrivals_by_period_have_its_rate_and_are_repeatable():
    found = poisson_by_period([5.0, 0.0, 20.0], 1_000.0, seed=1)
    counts = np.histogram(found, [0, 1_000, 2_000, 3_000])[0]
    assert counts[1] == 0 and counts[0] == pytest.approx(5_000, rel=0.1) and counts[2] == pytest.approx(20_000, rel=0.1)
    assert np.all(np.diff(found) >= 0) and np.array_equal(found, poisson_by_period([5.0, 0.0, 20.0], 1_000.0, seed=1))
    assert poisson_by_period([], 10.0, 0).size == 0


def test_nobody_comes():
    for serve in (serve_with_simpy, serve_in_order, serve_partitioned):
        assert serve([], [], 1).ended.size == 0
    assert serve_time_sliced([], []).ended.size == 0 and serve_in_batches([], [], 4, 1.0).ended.size == 0


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: serve_in_order([1.0, 0.5], [1, 1], 1), ValueError, "Sort them"),
        (lambda: serve_in_order([0.0], [1, 1], 1), ValueError, "1 and 2 came"),
        (lambda: serve_in_order([0.0], [-1], 1), ValueError, "work"),
        (lambda: serve_in_order([0.0], [1], 0), ValueError, "servers"),
        (lambda: serve_with_simpy([np.nan], [1], 1), ValueError, "arrivals"),
        (lambda: serve_with_simpy("soon", [1], 1), TypeError, "arrivals"),
        (lambda: serve_time_sliced([[0.0]], [1]), ValueError, "arrivals"),
        (lambda: serve_partitioned([0.0], [1], 0), ValueError, "parts"),
        (lambda: serve_in_batches([0.0], [0], 4, 1.0), ValueError, "tokens"),
        (lambda: serve_in_batches([0.0], [1.5], 4, 1.0), TypeError, "tokens"),
        (lambda: serve_in_batches([0.0], [1], 4, 0.0), ValueError, "step"),
        (lambda: poisson_by_period([-1.0], 10.0, 0), ValueError, "rates"),
    ],
    ids=range(12),
)
def test_what_cannot_be_is_refused_with_a_sentence(call, error, said):
    with pytest.raises(error, match=said):
        call()
