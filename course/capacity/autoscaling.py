"""Machines that come and go with the traffic, by the rule of Kubernetes' HPA (Lecture 12, *Cloud and DevOps*).

The rule: ``desired = ceil(current * measured / target)``, left alone within a tolerance of 10 %. What it measures is
old by the time that it acts, and what it starts is not there yet. Both make it swing; a *stabilisation window* lets it
go down only to the highest number that it wanted lately.

Source: Kubernetes documentation, Horizontal Pod Autoscaling, "Algorithm details" and "Stabilization window".
"""

import math
from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from course.capacity.quantities import durations, not_negative, positive, share, whole

TOLERANCE = 0.1  # of the HPA: ratios of measured to target this near to 1 change nothing


def desired_replicas(current: int, measured: float, target: float, tolerance: float = TOLERANCE) -> int:
    """The replicas that the HPA wants.

    Args:
        current: replicas that are asked for now.
        measured: mean utilisation of a replica, or another number per replica.
        target: what it should be.
        tolerance: distance of ``measured / target`` from 1 that changes nothing.
    """
    current, measured = whole("replicas", current), not_negative("measured number", measured)
    ratio = measured / positive("target", target)
    if abs(ratio - 1) <= not_negative("tolerance", tolerance):
        return current
    return math.ceil(current * ratio - 1e-9)  # 3 * 1.4 / 0.7 is 6, and not the 7 that rounding errors make of it


@dataclass(frozen=True)
class Autoscaler:
    """How many replicas there may be, and how fast the rule sees and acts; times in whole seconds.

    Args:
        target: mean utilisation, between 0 and 1.
        least, most: replicas.
        period: between two looks; the HPA takes 15.
        cold_start: from asking for a replica until it serves.
        look_back: over which utilisation is averaged.
        stabilisation: over which the highest wish counts when going down; the HPA takes 300.
        patient: whether replicas that are not ready yet count as idle ones when going up, as the HPA counts them;
            else as busy as the others.
    """

    target: float = 0.6
    least: int = 1
    most: int = 100
    period: int = 15
    cold_start: int = 60
    look_back: int = 60
    stabilisation: int = 300
    patient: bool = True

    def __post_init__(self):
        share("target utilisation", self.target)
        whole("most replicas", self.most, whole("least replicas", self.least))
        whole("seconds of a period", self.period), whole("seconds of looking back", self.look_back)
        whole("seconds of a cold start", self.cold_start, 0), whole("seconds of stabilisation", self.stabilisation, 0)

    def wish(self, asked: int, ready: int, measured: float) -> int:
        """The replicas that the rule wants, of which some were asked for and are not ready yet.

        Args:
            asked, ready: replicas; the ready ones are among those that are asked for.
            measured: mean utilisation of the ready ones.
        """
        wanted = desired_replicas(asked, measured, self.target)
        if not self.patient or wanted <= asked:
            return wanted
        return max(asked, desired_replicas(asked, measured * ready / asked, self.target))


class Scaled(NamedTuple):
    """A run, second by second, each ``(n_seconds,)``.

    Attributes:
        asked: replicas asked for; those are paid.
        ready: replicas that serve.
        utilisation: share of the ready ones' capacity that was used.
        waiting: requests in the line at the end of the second.
        delay: seconds that the last in the line has to wait, at this second's capacity.
    """

    asked: np.ndarray
    ready: np.ndarray
    utilisation: np.ndarray
    waiting: np.ndarray
    delay: np.ndarray

    @property
    def changes(self) -> int:
        """How often the number of replicas was changed."""
        return int(np.count_nonzero(np.diff(self.asked)))

    @property
    def replica_hours(self) -> float:
        """What is paid for."""
        return float(self.asked.sum()) / 3600


def run_autoscaler(rates, per_replica: float, scaler: Autoscaler, start: int | None = None) -> Scaled:
    """Let an autoscaler follow a traffic; requests flow like water, which leaves out the queues of chance.

    Args:
        rates: ``(n_seconds,)`` requests that come in each second.
        per_replica: requests a second that one replica can serve.
        scaler: the rule.
        start: replicas that serve in the beginning; what the first second's rate wants if not given.

    Raises:
        TypeError, ValueError: no seconds, or a number that cannot be.
    """
    rates, capacity = durations("requests a second", rates), positive("requests a second of a replica", per_replica)
    if not rates.size:
        raise ValueError("At least one second of traffic was expected, and none came.")
    fitting = math.ceil(rates[0] / capacity / scaler.target) if start is None else whole("replicas", start)
    ready = asked = min(max(fitting, scaler.least), scaler.most)
    waiting, starting = 0.0, deque()  # starting: the instants at which replicas will be ready
    wishes, seen = deque(maxlen=scaler.stabilisation // scaler.period + 1), deque(maxlen=scaler.look_back)
    run = Scaled(*(np.empty(rates.size) for _ in Scaled._fields))
    for second, rate in enumerate(rates):
        while starting and starting[0] <= second:
            starting.popleft()
            ready += 1
        room = ready * capacity
        served = min(waiting + rate, room)
        waiting += rate - served
        seen.append(served / room)
        for column, value in zip(run, (asked, ready, served / room, waiting, waiting / room), strict=True):
            column[second] = value
        if second % scaler.period == scaler.period - 1:
            wishes.append(scaler.wish(asked, ready, sum(seen) / len(seen)))
            wanted = wishes[-1] if wishes[-1] >= asked else min(asked, max(wishes))
            wanted = min(max(wanted, scaler.least), scaler.most)
            starting.extend([second + 1 + scaler.cold_start] * (wanted - asked))
            fewer = max(0, asked - wanted)
            cancelled = min(fewer, len(starting))  # those that are not ready yet go first
            for _ in range(cancelled):
                starting.pop()
            ready -= fewer - cancelled
            asked = wanted
    return run
