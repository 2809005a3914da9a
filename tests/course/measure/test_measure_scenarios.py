"""Arrivals and queues against closed forms, and the adapter of MLPerf's load generator."""

import sys
import time

import numpy as np
import pytest
import scipy.stats

from course.errors import CourseError
from course.measure import loadgen
from course.measure.devices import STEADY, FakeDevice
from course.measure.fake_backend import FakeBackend
from course.measure.loadgen import read_trace, serve_load
from course.measure.record import Variant
from course.measure.scenarios import check_scenario, poisson_arrivals, serve_virtually
from course.measure.trial import Loaded

N = 20_000


def test_arrivals_are_a_poisson_process():
    due = poisson_arrivals(4.0, N, 3)
    gaps = np.diff(due, prepend=0.0)
    assert scipy.stats.kstest(gaps, scipy.stats.expon(scale=0.25).cdf).pvalue > 0.01
    assert abs(np.corrcoef(gaps[:-1], gaps[1:])[0, 1]) < 0.03
    assert (poisson_arrivals(4.0, 5, 3) == due[:5]).all()
    assert (poisson_arrivals(4.0, 5, 4) != due[:5]).all()


@pytest.mark.parametrize(
    ("rate", "n", "sentence"), [(0.0, 5, "rate above 0"), (np.inf, 5, "rate above 0"), (1.0, 0, "one request")]
)
def test_arrivals_that_are_none(rate, n, sentence):
    with pytest.raises(ValueError, match=sentence):
        poisson_arrivals(rate, n)


@pytest.mark.parametrize("utilisation", [0.3, 0.7])
def test_the_server_waits_as_a_queue_with_constant_service_does(utilisation):
    """M/D/1: the mean wait is rho * s / (2 * (1 - rho)); Pollaczek and Khinchine."""
    device = FakeDevice(0, STEADY)
    backend = FakeBackend("slow", device, batch=1, length=8)
    variant = Variant(name="slow", backend="slow", dtype="float32", code="0")
    prompt = np.ones((1, 4), dtype=np.int64)
    service = backend.true_seconds("prefill", 4)
    due = poisson_arrivals(utilisation / service, N, 11)
    served = serve_virtually(Loaded(variant, backend), device, due, lambda number: prompt, 1, 0)
    waits = np.array([request.started - request.due for request in served])
    assert waits.mean() == pytest.approx(utilisation * service / (2 * (1 - utilisation)), rel=0.1)
    assert [request.number for request in served] == list(range(N))
    free, by_hand = 0.0, []
    for instant in due:  # Lindley's recursion
        by_hand.append(max(free - instant, 0.0))
        free = instant + by_hand[-1] + service
    assert waits.mean() == pytest.approx(np.mean(by_hand), rel=0.01)
    assert served[0].latency == pytest.approx(service, rel=1e-2)


def test_an_unknown_scenario():
    assert check_scenario("offline") == "offline"
    with pytest.raises(CourseError, match="there are single-stream, offline, server"):
        check_scenario("multi-stream")


def test_the_load_generator_sends_whether_or_not_it_is_answered():
    """Forty requests, a quarter of a second: each is due in order, handed over before the one before it is done."""
    served = []

    def serve(number):
        began = time.perf_counter()
        time.sleep(0.004)
        first = time.perf_counter()
        time.sleep(0.004)
        served.append(number)
        return began, first, time.perf_counter()

    requests = serve_load(serve, 500.0, 40, 1.0, 0.9, 7, "sleeper", 2, 3)
    assert served == [request.number for request in requests] == list(range(40))
    due = np.array([request.due for request in requests])
    assert due[0] == 0 and (np.diff(due) >= 0).all()
    completed = np.array([request.completed for request in requests])
    assert (np.diff(completed) > 0.008).all()  # one at a time
    assert np.mean(due[1:] < completed[:-1]) > 0.5  # it did not wait for answers
    assert {(request.variant, request.process, request.generated) for request in requests} == {("sleeper", 2, 3)}


def test_a_server_that_fails_says_so_and_does_not_hang():
    def serve(number):
        if number == 2:
            raise CourseError("The model is gone.")
        return (time.perf_counter(),) * 3

    with pytest.raises(CourseError, match="The model is gone"):
        serve_load(serve, 1000.0, 10, 1.0, 0.9, 1, "fails", 0, 1)


def test_without_the_load_generator(monkeypatch):
    monkeypatch.setitem(sys.modules, "mlperf_loadgen", None)
    with pytest.raises(CourseError, match="Install mlcommons-loadgen"):
        serve_load(lambda number: (0.0, 0.0, 0.0), 1.0, 1, 1.0, 0.9, 1, "none", 0, 1)


@pytest.mark.parametrize(
    "text", ['{"name":"Sample"', '{"name":"Sample","ph":"b"}', '{"name":"Sample","ph":"b","args":{"sample_seq":0}},']
)
def test_a_trace_that_is_none(tmp_path, text):
    path = tmp_path / loadgen.TRACE
    path.write_text(text)
    with pytest.raises(CourseError, match="expected to be a trace"):
        read_trace(path)
    with pytest.raises(CourseError, match="expected to be a trace"):
        read_trace(tmp_path / "nowhere.json")
