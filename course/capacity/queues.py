"""Queues that have a formula (Lecture 12, *Cloud and DevOps*).

A *load* is in erlangs: requests a second times seconds of work in each, hence the number of servers that are busy on
average. M/M/c has random (Poisson) arrivals, exponential times of service, and c servers with one line before them.

Sources: A. K. Erlang, Solution of some problems in the theory of probabilities of significance in automatic telephone
exchanges, 1917; J. D. C. Little, A proof for the queuing formula L = λW, 1961; S. Halfin and W. Whitt, Heavy-traffic
limits for queues with many exponential servers, 1981; M. Harchol-Balter, Performance modeling and design of computer
systems, 2013, chapters 13, 14 and 23.
"""

import math
from dataclasses import dataclass

import scipy.optimize
import scipy.stats

from course.capacity.quantities import not_negative, positive, share, whole

MOST_SERVERS = 10_000_000


def number_inside(rate: float, seconds: float) -> float:
    """Little's law: how many are inside on average.

    Args:
        rate: that come in, a second.
        seconds: that each stays, on average; whatever the distribution, the order and the number of servers.
    """
    return not_negative("rate", rate) * not_negative("seconds inside", seconds)


def erlang_b(load: float, servers: int) -> float:
    """The share of calls that find all servers busy, where nobody waits: Erlang's loss formula.

    The recursion over servers keeps numbers between 0 and 1 and never computes a factorial.
    """
    load, servers = not_negative("load, in erlangs,", load), whole("servers", servers)
    blocked = 1.0
    for count in range(1, servers + 1):
        blocked = load * blocked / (count + load * blocked)
    return blocked


def erlang_c(load: float, servers: int) -> float:
    """The share of requests that have to wait, where all wait; 1 for a load that the servers cannot carry."""
    blocked = erlang_b(load, servers)
    if load >= servers:
        return 1.0
    return blocked / (1 - load / servers * (1 - blocked))


@dataclass(frozen=True)
class Queue:
    """M/M/c: random arrivals, exponential service, first come, first served.

    Args:
        rate: requests a second.
        seconds: of work in a request, on average.
        servers: that take from one line.

    Raises:
        TypeError, ValueError: a number that cannot be.
    """

    rate: float
    seconds: float
    servers: int = 1

    def __post_init__(self):
        positive("rate", self.rate)
        positive("seconds of work", self.seconds)
        whole("servers", self.servers)

    @property
    def load(self) -> float:
        """Servers that are busy on average, if there are enough: erlangs."""
        return self.rate * self.seconds

    @property
    def utilisation(self) -> float:
        """Load for each server; from 1 on the line grows for ever."""
        return self.load / self.servers

    @property
    def wait_probability(self) -> float:
        """Erlang C."""
        return erlang_c(self.load, self.servers)

    @property
    def drain(self) -> float:
        """Requests a second by which the servers are faster than the arrivals; 0 if they are not."""
        return max(0.0, self.servers / self.seconds - self.rate)

    @property
    def mean_wait(self) -> float:
        """Seconds in the line, on average over all requests."""
        return self.wait_probability / self.drain if self.drain else math.inf

    @property
    def mean_latency(self) -> float:
        """Seconds in the line and in service."""
        return self.mean_wait + self.seconds

    @property
    def mean_inside(self) -> float:
        """Requests in the line and in service, by Little's law."""
        return self.rate * self.mean_latency

    def waits_longer(self, seconds: float) -> float:
        """The share of requests that wait longer."""
        return self.wait_probability * math.exp(-self.drain * not_negative("seconds", seconds))

    def wait_percentile(self, level: float) -> float:
        """Seconds that this share of the requests waits at most; 0 where fewer have to wait at all."""
        beyond = 1 - share("level of a percentile", level)
        if not self.drain:
            return math.inf
        return max(0.0, math.log(self.wait_probability / beyond) / self.drain) if self.wait_probability else 0.0

    def latency_longer(self, seconds: float) -> float:
        """The share of requests that are in the line and in service for longer.

        The wait is 0 or exponential with rate ``drain``, the service exponential: a sum of two exponentials.
        """
        t, served, drain = not_negative("seconds", seconds), 1 / self.seconds, self.drain
        if not drain:
            return 1.0
        if math.isclose(served, drain, rel_tol=1e-9):
            both = (1 + served * t) * math.exp(-served * t)
        else:
            both = (drain * math.exp(-served * t) - served * math.exp(-drain * t)) / (drain - served)
        return (1 - self.wait_probability) * math.exp(-served * t) + self.wait_probability * both

    def latency_percentile(self, level: float) -> float:
        """Seconds after which this share of the requests is done."""
        beyond = 1 - share("level of a percentile", level)
        if not self.drain:
            return math.inf
        most = self.wait_percentile(1 - beyond / 2) + self.seconds * math.log(2 / beyond)  # one of both is longer
        return scipy.optimize.brentq(lambda t: self.latency_longer(t) - beyond, 0.0, most, xtol=1e-12 * most)


def mean_wait_general(rate: float, mean: float, second_moment: float) -> float:
    """Seconds in the line of one server whose service times are of any kind: Pollaczek's and Khinchine's formula.

    Args:
        rate: requests a second, random.
        mean: of the seconds of service.
        second_moment: the mean of their squares, s².

    Raises:
        ValueError: a number that cannot be; the mean of squares is never below the square of the mean.
    """
    rate, mean = positive("rate", rate), positive("mean service, in seconds,", mean)
    second_moment = positive("second moment, in square seconds,", second_moment)
    if second_moment < mean**2 * (1 - 1e-9):
        raise ValueError(
            f"A mean of squares of {mean**2:g} or more was expected beside a mean of {mean:g}; {second_moment:g} came. "
            "Square each time first, then take the mean."
        )
    return rate * second_moment / (2 * (1 - rate * mean)) if rate * mean < 1 else math.inf


def servers_for(rate: float, seconds: float, within: float, level: float) -> int:
    """The fewest servers with which a share of the requests waits no longer than an objective.

    Args:
        rate: requests a second.
        seconds: of work in each, on average.
        within: seconds in the line that are allowed.
        level: of the requests that shall keep within, such as 0.99.

    Raises:
        ValueError: a number that cannot be, or a load of more than ten million servers.
    """
    positive("rate", rate), positive("seconds of work", seconds)
    not_negative("seconds allowed", within), share("level of a percentile", level)
    if rate * seconds >= MOST_SERVERS:
        raise ValueError(f"Less than {MOST_SERVERS:,} erlangs were expected; {rate * seconds:g} came. Check the units.")

    def enough(count: int) -> bool:
        return Queue(rate, seconds, count).wait_percentile(level) <= within

    low = math.floor(rate * seconds)  # never enough: its line grows for ever
    step = 1
    while not enough(low + step):
        step *= 2
    high = low + step
    low += step // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def square_root_staffing(load: float, beta: float) -> int:
    """Servers for a load, by the rule of thumb: the load, and a reserve of ``beta`` times its square root."""
    load = positive("load, in erlangs,", load)
    return math.ceil(load + positive("beta", beta) * math.sqrt(load))


def halfin_whitt(beta: float) -> float:
    """The share that waits, under :func:`square_root_staffing`, in the limit of many servers."""
    beta = positive("beta", beta)
    normal = scipy.stats.norm
    return 1 / (1 + beta * normal.cdf(beta) / normal.pdf(beta))
