"""The line: its bound on a fake clock, its order, its refusals; nobody lost, nobody twice."""

import asyncio
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.inference.batching import Full, Line
from services.inference.clock import FakeClock, SystemClock, before

pytestmark = pytest.mark.anyio
WAIT = 0.5


async def taking(line, most, clock, batches, service=0.0):
    """An engine that takes a batch, works on it, and takes the next."""
    while True:
        batch = await line.take(most)
        batches.append((clock.now(), batch))
        await clock.sleep_until(clock.now() + service)


@pytest.fixture
def clock():
    return FakeClock(100.0)


async def test_one_request_leaves_exactly_when_it_has_waited(clock):
    line, batches = Line(10, WAIT, clock), []
    engine = asyncio.create_task(taking(line, 4, clock, batches))
    await clock.advance(3)
    line.put("a")
    await clock.advance(0.499)
    assert batches == []
    await clock.advance(0.01)
    assert batches == [(103.5, ["a"])]
    engine.cancel()


async def test_a_full_batch_leaves_at_once(clock):
    line, batches = Line(10, WAIT, clock), []
    engine = asyncio.create_task(taking(line, 3, clock, batches))
    await clock.settle()
    for name in "abc":
        line.put(name)
    await clock.settle()
    assert batches == [(100.0, ["a", "b", "c"])]
    engine.cancel()


async def test_the_first_request_decides_when_a_batch_leaves_not_the_last(clock):
    line, batches = Line(10, WAIT, clock), []
    engine = asyncio.create_task(taking(line, 9, clock, batches))
    for name in "abcd":
        line.put(name)
        await clock.advance(0.2)
    assert batches == [(100.5, ["a", "b", "c"])]
    engine.cancel()


async def test_who_waited_while_the_engine_was_busy_does_not_wait_again(clock):
    line, batches = Line(10, WAIT, clock), []
    engine = asyncio.create_task(taking(line, 1, clock, batches, service=2.0))
    line.put("a")
    line.put("b")
    await clock.advance(5)
    assert batches == [(100.0, ["a"]), (102.0, ["b"])]
    engine.cancel()


async def test_a_request_that_is_withdrawn_is_not_served_and_keeps_nobody_waiting(clock):
    line, batches = Line(10, WAIT, clock), []
    engine = asyncio.create_task(taking(line, 4, clock, batches))
    line.put("a")
    await clock.advance(0.3)
    line.put("b")
    line.withdraw("a")
    line.withdraw("never there")
    await clock.advance(0.3)
    assert batches == []
    await clock.advance(0.2)
    assert batches == [(100.8, ["b"])]
    engine.cancel()


async def test_one_too_many_is_refused_and_a_place_that_is_free_again_is_given(clock):
    line = Line(2, WAIT, clock)
    line.put("a")
    line.put("b")
    with pytest.raises(Full):
        line.put("c")
    line.withdraw("a")
    line.put("c")
    assert line.take_now(9) == ["b", "c"]


@pytest.mark.parametrize("capacity, wait", [(0, 0.1), (1, -0.1), (1, math.nan), (1, math.inf)])
def test_a_line_that_cannot_be_is_refused(clock, capacity, wait):
    with pytest.raises(ValueError, match="were expected"):
        Line(capacity, wait, clock)


GAPS = st.lists(st.floats(0, 1.5), min_size=1, max_size=25)


@given(gaps=GAPS, most=st.integers(1, 5), wait=st.floats(0, 1), service=st.sampled_from([0.0, 0.1, 0.7]))
def test_the_bound_holds_for_any_arrivals(gaps, most, wait, service):
    """In order, complete, never too many; and who finds k ahead waits at most wait + service * (k // most + 1)."""

    async def play():
        clock = FakeClock()
        line, batches = Line(len(gaps), wait, clock), []
        engine = asyncio.create_task(taking(line, most, clock, batches, service))
        came, ahead = [], []
        for number, gap in enumerate(gaps):
            await clock.advance(gap)
            came.append(clock.now())
            ahead.append(len(line))
            line.put(number)
        await clock.advance(wait + service * len(gaps) + 1)
        engine.cancel()
        return came, ahead, batches

    came, ahead, batches = asyncio.run(play())
    assert [number for _, batch in batches for number in batch] == list(range(len(gaps)))
    for left, batch in batches:
        assert 1 <= len(batch) <= most
        for number in batch:
            assert left - came[number] <= wait + service * (ahead[number] // most + 1) + 1e-9


async def test_a_fake_clock_wakes_in_order_and_does_not_go_back(clock):
    woken = []

    async def sleeper(name, instant):
        await clock.sleep_until(instant)
        woken.append((name, clock.now()))

    tasks = [asyncio.create_task(sleeper(name, instant)) for name, instant in (("b", 102), ("a", 101), ("past", 1))]
    await clock.advance(1.5)
    assert woken == [("past", 100.0), ("a", 101)]
    with pytest.raises(ValueError, match="does not go back"):
        await clock.advance(-1)
    await clock.advance(1)
    await asyncio.gather(*tasks)
    assert woken[-1] == ("b", 102) and clock.now() == 102.5


async def test_before_gives_the_result_or_cancels_the_work(clock):
    cancelled = []

    async def work(seconds):
        try:
            await clock.sleep_until(clock.now() + seconds)
        except asyncio.CancelledError:
            cancelled.append(seconds)
            raise
        return seconds

    quick, slow = (asyncio.create_task(before(clock, 105.0, work(seconds))) for seconds in (1, 9))
    await clock.advance(10)
    assert await quick == 1
    with pytest.raises(TimeoutError):
        await slow
    assert cancelled == [9]


async def test_the_machines_clock_goes_on():
    clock = SystemClock()
    start = clock.now()
    await clock.sleep_until(start + 0.01)
    assert clock.now() >= start + 0.009
