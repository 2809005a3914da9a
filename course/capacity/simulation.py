"""Queues played through, request by request (Lecture 12, *Cloud and DevOps*).

A simulation takes the instants at which requests arrive and the work in each, and says when each began and ended. What
is random is drawn before, so that two ways of serving can be compared on the same requests.

Sources: D. V. Lindley, The theory of queues with a single server, 1952; J. Kiefer and J. Wolfowitz, On the theory of
queues with many servers, 1955; G.-I. Yu et al., Orca, 2022, for batches that are joined at each step.
"""

import heapq
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import simpy

from course.capacity.quantities import as_many, durations, instants, not_negative, positive, whole


class Served(NamedTuple):
    """What became of requests; each ``(n,)``, seconds, in the order in which they arrived."""

    arrived: np.ndarray
    started: np.ndarray
    ended: np.ndarray

    @property
    def waits(self) -> np.ndarray:
        """Seconds in the line."""
        return self.started - self.arrived

    @property
    def latencies(self) -> np.ndarray:
        """Seconds from arrival to end."""
        return self.ended - self.arrived


def serve_in_order(arrivals, seconds, servers: int) -> Served:
    """First come, first served, by whichever server is free first.

    Args:
        arrivals: ``(n,)`` instants, rising.
        seconds: ``(n,)`` of work in each.
        servers: that take from one line.

    Raises:
        TypeError, ValueError: lists that are no times, or not equally long; no server.
    """
    arrived, work = _requests(arrivals, seconds)
    free = [0.0] * whole("servers", servers)  # a heap of the instants at which the servers are free
    started = np.empty_like(arrived)
    for number, instant in enumerate(arrived):
        started[number] = max(instant, free[0])
        heapq.heapreplace(free, started[number] + work[number])
    return Served(arrived, started, started + work)


def serve_with_simpy(arrivals, seconds, servers: int) -> Served:
    """The same as :func:`serve_in_order`, by the library simpy: each request is a process that asks for a server."""
    arrived, work = _requests(arrivals, seconds)
    environment = simpy.Environment()
    room = simpy.Resource(environment, capacity=whole("servers", servers))
    started = np.empty_like(arrived)

    def request(number: int) -> Iterator[simpy.Event]:
        with room.request() as turn:
            yield turn
            started[number] = environment.now
            yield environment.timeout(work[number])

    def source() -> Iterator[simpy.Event]:
        for number, instant in enumerate(arrived):
            yield environment.timeout(max(0.0, instant - environment.now))
            environment.process(request(number))

    environment.process(source())
    environment.run()
    return Served(arrived, started, started + work)


def serve_in_batches(arrivals, tokens: Sequence[int], slots: int, step: float, wait: float = 0.0) -> Served:
    """Callers join a running batch before a step and leave it after their last token, as in services/inference.

    Reading a prompt is a step of its own, for which the others wait; it writes the first token. Into a running batch
    one caller joins at a time, into an empty one all who wait.

    Args:
        arrivals: ``(n,)`` instants, rising.
        tokens: ``(n,)`` of each answer, 1 or more.
        slots: answers that are written side by side.
        step: seconds, whatever the batch.
        wait: seconds that a first caller waits for company.

    Raises:
        TypeError, ValueError: lists that are no times, or not equally long; a number that cannot be.
    """
    arrived, lengths = _requests(arrivals, tokens)
    for length in tokens:
        whole("tokens", length)
    slots, step, wait = whole("slots", slots), positive("step, in seconds,", step), not_negative("wait", wait)
    started, ended = np.zeros_like(arrived), np.zeros_like(arrived)
    now, following, left = 0.0, 0, {}  # left: tokens to be written, by the number of the request
    while following < arrived.size or left:
        if left:
            now += step
            left = _written(left, ended, now)
        if not left and following < arrived.size:
            full = arrived[following + slots - 1] if following + slots <= arrived.size else np.inf
            now = max(now, min(arrived[following] + wait, full))
        room = min(1, slots - len(left)) if left else slots
        fresh = min(room, int(np.searchsorted(arrived, now, side="right")) - following)
        if fresh:
            joining = range(following, following + fresh)
            started[joining] = now
            now, following = now + step, following + fresh
            left |= _written({number: int(lengths[number]) for number in joining}, ended, now)
    return Served(arrived, started, ended)


def serve_time_sliced(arrivals, seconds) -> Served:
    """One server that gives everybody inside an equal share of itself: time slices that are short beside the work.

    Args:
        arrivals: ``(n,)`` instants, rising.
        seconds: ``(n,)`` that each would take alone.
    """
    arrived, work = _requests(arrivals, seconds)
    ended = np.empty_like(arrived)
    now, done, following = 0.0, 0.0, 0  # done: work that one who was there all the time would have got
    inside: list[tuple[float, int]] = []
    while following < arrived.size or inside:
        leaves = now + (inside[0][0] - done) * len(inside) if inside else np.inf
        comes = arrived[following] if following < arrived.size else np.inf
        done, now = done + (min(leaves, comes) - now) / max(1, len(inside)), min(leaves, comes)
        if leaves <= comes:
            done, number = heapq.heappop(inside)
            ended[number] = now
        else:
            heapq.heappush(inside, (done + work[following], following))
            following += 1
    return Served(arrived, arrived.copy(), ended)


def serve_partitioned(arrivals, seconds, parts: int) -> Served:
    """Slices of a server, each with a line of its own and a share of the speed; requests go to each in turn.

    Args:
        arrivals: ``(n,)`` instants, rising.
        seconds: ``(n,)`` that each would take on the whole server.
        parts: that it is cut into.
    """
    arrived, work = _requests(arrivals, seconds)
    parts = whole("parts", parts)
    started = np.empty_like(arrived)
    for part in range(parts):
        own = slice(part, None, parts)
        started[own] = serve_in_order(arrived[own], parts * work[own], 1).started
    return Served(arrived, started, started + parts * work)


def inside_at(served: Served, times) -> np.ndarray:
    """How many are in the line or in service at each instant ``(m,)``."""
    at = np.asarray(times, dtype=float)
    come = np.searchsorted(served.arrived, at, side="right")
    return come - np.searchsorted(np.sort(served.ended), at, side="right")


def poisson_by_period(rates: Sequence[float], seconds_each: float, seed: int) -> np.ndarray:
    """Random arrivals whose rate changes from one period to the next, such as from hour to hour.

    Args:
        rates: ``(n_periods,)`` requests a second in each, 0 or more.
        seconds_each: of a period.
        seed: of the random numbers.

    Returns:
        Instants in seconds, rising.
    """
    length, drawn = positive("seconds of a period", seconds_each), np.random.default_rng(seed)
    found = []
    for period, rate in enumerate(durations("rates", rates)):
        count = drawn.poisson(rate * length)
        found.append((period + np.sort(drawn.random(count))) * length)
    return np.concatenate(found) if found else np.empty(0)


def _written(left: dict[int, int], ended: np.ndarray, now: float) -> dict[int, int]:
    """A token for each; who has none left ends now."""
    ended[[number for number, count in left.items() if count == 1]] = now
    return {number: count - 1 for number, count in left.items() if count > 1}


def _requests(arrivals, seconds) -> tuple[np.ndarray, np.ndarray]:
    arrived, work = instants("arrivals", arrivals), durations("work", seconds)
    as_many(arrived, work)
    return arrived, work
