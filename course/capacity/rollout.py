"""A new version that a few callers get first, and how soon its faults are seen (Lecture 12, *Cloud and DevOps*).

A request is *slow* if it takes longer than a limit that the old version keeps for a known share of its requests. Then a
canary is a coin, and the question is whether its bias is the old one. Wald's sequential test looks after every request
and keeps both its error rates; a test for a fixed number that is looked at again and again keeps none.

Sources: A. Wald, Sequential tests of statistical hypotheses, 1945; P. Armitage, C. McPherson and B. Rowe, Repeated
significance tests on accumulating data, 1969.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy.optimize
import scipy.stats

from course.capacity.quantities import durations, share, whole

ROLL_BACK, PROMOTE, UNDECIDED = "roll back", "promote", "undecided"


class Decision(NamedTuple):
    """What a test said, and after how many requests."""

    verdict: str
    after: int


@dataclass(frozen=True)
class Sequential:
    """Wald's sequential probability ratio test for a share of slow requests.

    Args:
        good: share that is slow in the version that serves now.
        bad: share that must not be promoted, above ``good``.
        false_alarm: of a version as good as the old one, the share that is rolled back.
        missed: of a version as slow as ``bad``, the share that is promoted.
    """

    good: float
    bad: float
    false_alarm: float = 0.05
    missed: float = 0.05

    def __post_init__(self):
        good, bad = share("share of slow requests", self.good), share("share of slow requests", self.bad)
        if share("share of false alarms", self.false_alarm) + share("share of misses", self.missed) >= 1:
            raise ValueError("Error rates that add up to less than 1 were expected. Try 0.05 and 0.05.")
        if good >= bad:
            raise ValueError(f"A bad share above the good one, {good:g}, was expected; {bad:g} came.")

    @property
    def steps(self) -> tuple[float, float]:
        """What a request adds to the evidence, in nats: one that is not slow, and one that is."""
        return math.log((1 - self.bad) / (1 - self.good)), math.log(self.bad / self.good)

    @property
    def borders(self) -> tuple[float, float]:
        """Evidence at which the test ends: promote at or below the first, roll back at or above the second."""
        return math.log(self.missed / (1 - self.false_alarm)), math.log((1 - self.missed) / self.false_alarm)

    def evidence(self, slow: Iterable[bool]) -> np.ndarray:
        """The evidence after each request, nats ``(n,)``: the logarithm of the ratio of both likelihoods."""
        passed, failed = self.steps
        return np.cumsum(np.where(_outcomes(slow), failed, passed))

    def decide(self, slow: Iterable[bool]) -> Decision:
        """Look after each request; stop at the first border."""
        path, (low, high) = self.evidence(slow), self.borders
        ends = np.flatnonzero((path <= low) | (path >= high))
        if not ends.size:
            return Decision(UNDECIDED, path.size)
        return Decision(ROLL_BACK if path[ends[0]] >= high else PROMOTE, int(ends[0]) + 1)

    def expected(self, slow: float) -> float:
        """Requests until a decision, on average, if this share is slow: Wald's approximation."""
        rate, (passed, failed), (low, high) = share("share of slow requests", slow), self.steps, self.borders
        drift = rate * failed + (1 - rate) * passed
        if abs(drift) < 1e-9:
            return -low * high / (rate * failed**2 + (1 - rate) * passed**2)
        root = _other_root(rate, passed, failed)
        back = (1 - math.exp(low * root)) / (math.exp(high * root) - math.exp(low * root))
        return (back * high + (1 - back) * low) / drift


def peek(slow: Iterable[bool], good: float, every: int, false_alarm: float = 0.05) -> Decision:
    """What people do: an ordinary one-sided test after every so many requests, until one of them is significant.

    Each test is the exact binomial one and keeps its error rate; together they do not.
    """
    outcomes, every = _outcomes(slow), whole("requests between two looks", every)
    good, false_alarm = share("share of slow requests", good), share("share of false alarms", false_alarm)
    counts = np.arange(every, outcomes.size + 1, every)
    chance = scipy.stats.binom.sf(np.cumsum(outcomes)[counts - 1] - 1, counts, good)
    found = np.flatnonzero(chance <= false_alarm)
    return Decision(ROLL_BACK, int(counts[found[0]])) if found.size else Decision(UNDECIDED, outcomes.size)


def slow_requests(seconds, slower: float, limit: float, n: int, seed: int) -> np.ndarray:
    """Whether each of ``n`` requests of a canary is slow: samples drawn again, made slower, against the limit.

    Args:
        seconds: ``(m,)`` raw samples of the version that serves now.
        slower: factor of the new version's times; 1.1 is ten per cent slower.
        limit: seconds beyond which a request is slow.
        n: requests.
        seed: of the draws.
    """
    samples = durations("samples", seconds)
    if not samples.size:
        raise ValueError("At least one sample was expected, and none came.")
    return slower * np.random.default_rng(seed).choice(samples, whole("requests", n)) > limit


def _outcomes(slow: Iterable[bool]) -> np.ndarray:
    outcomes = np.asarray(slow if isinstance(slow, np.ndarray) else list(slow))
    if outcomes.ndim != 1 or (outcomes.size and not np.all(np.isin(outcomes, (0, 1)))):
        raise ValueError("One truth value for each request was expected: whether it was slow.")
    return outcomes.astype(bool)


def _other_root(rate: float, passed: float, failed: float) -> float:
    """The root other than 0 of E[exp(h * step)] = 1; it has the sign against the drift."""

    def moment(h: float) -> float:
        return rate * math.exp(h * failed) + (1 - rate) * math.exp(h * passed) - 1

    lowest = math.log(-(1 - rate) * passed / (rate * failed)) / (failed - passed)
    end = 2 * lowest
    while moment(end) < 0:
        end *= 2
    return scipy.optimize.brentq(moment, *sorted((lowest, end)))
