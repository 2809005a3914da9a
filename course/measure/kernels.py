"""Single functions, such as two ways to compute attention, timed side by side in one process (Lecture 11).

A small adapter over ``torch.utils.benchmark``: answers are compared first, each function is warmed up until it no
longer gets faster, and then all take turns, in an order drawn by lot in each round, for as many calls as fill the time
of a trial. What comes out holds for this process; for a claim about the next one measure with ``course measure run``.
"""

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from course.bench.statistics import FEWEST, median_interval
from course.errors import CourseError
from course.measure.devices import Device
from course.measure.statistics import Estimate, is_warm, paired_ratio

MOST_WARM_UPS, WINDOW = 30, 3
MOST_CALLS = 100_000


@dataclass(frozen=True)
class Comparison:
    """What was measured.

    Attributes:
        seconds: of each function, per call, one number for each round; the first is the baseline.
        errors: of each function's answer, relative to the baseline's (norm of the difference over the norm).
    """

    seconds: dict[str, tuple[float, ...]]
    errors: dict[str, float]

    @property
    def baseline(self) -> str:
        """The function that the others are compared with."""
        return next(iter(self.seconds))

    def median(self, name: str) -> Estimate:
        """Seconds per call, with the interval for this process."""
        values = self.seconds[name]
        return Estimate(float(np.median(values)), median_interval(values), len(values), 1)

    def speed_up(self, name: str) -> Estimate:
        """How many times faster than the baseline it is in this process, or why no number is given."""
        above, below = self.seconds[self.baseline], self.seconds[name]
        if len(above) < FEWEST:
            return Estimate(None, None, len(above), 1, f"{len(above)} rounds are too few; {FEWEST} give an interval.")
        value, interval = paired_ratio(above, below)
        if interval.contains(1.0):
            ends = f"{interval.low:.3g} to {interval.high:.3g}"
            refused = f"the interval of the ratio, {ends}, contains 1: no difference was shown."
            return Estimate(None, interval, len(above), 1, refused)
        return Estimate(value, interval, len(above), 1)


def compare_kernels(
    kernels: Mapping[str, Callable[[], Any]],
    device: Device,
    rounds: int = 12,
    seconds: float = 0.02,
    tolerance: float = 1e-4,
    seed: int = 0,
) -> Comparison:
    """Time functions that compute the same, in turns.

    Args:
        kernels: name to a function without arguments that launches the work and returns the answer, an array or a
            tensor; the first is the baseline.
        device: that they run on.
        rounds: trials of each.
        seconds: that a trial lasts at least.
        tolerance: relative error that an answer may have.
        seed: of the order.

    Raises:
        CourseError: fewer than one round or no function, or an answer differs by more than the tolerance.
    """
    if not kernels or rounds < 1 or not seconds > 0:
        raise CourseError(
            f"At least one function, one round and a time above 0 were expected; {len(kernels)} functions, {rounds} "
            f"rounds and {seconds} s came."
        )
    errors = _errors(kernels, device, tolerance)
    watches = {name: _stopwatch(kernel, device) for name, kernel in kernels.items()}
    calls = {name: _calls(watch, seconds) for name, watch in watches.items()}
    drawn, found = random.Random(seed), {name: [] for name in kernels}
    for _ in range(rounds):
        for name in drawn.sample(list(kernels), len(kernels)):
            found[name].append(watches[name](calls[name]))
    return Comparison({name: tuple(values) for name, values in found.items()}, errors)


def _stopwatch(kernel: Callable[[], Any], device: Device) -> Callable[[int], float]:
    """Seconds per call of that many calls between two synchronisations, by torch's timer on the device's clock."""
    from torch.utils.benchmark import Timer

    def clock() -> float:
        device.synchronize()
        return device.now()

    timer = Timer("kernel()", globals={"kernel": kernel}, timer=clock)
    return lambda number: timer.timeit(number).mean


def _calls(watch: Callable[[int], float], seconds: float) -> int:
    """Warm up, and say how many calls fill the time."""
    warm: list[float] = []
    while len(warm) < MOST_WARM_UPS and not is_warm(warm, WINDOW):
        warm.append(watch(1))
    return min(max(math.ceil(seconds / max(np.median(warm[-WINDOW:]), 1e-9)), 1), MOST_CALLS)


def _errors(kernels: Mapping[str, Callable[[], Any]], device: Device, tolerance: float) -> dict[str, float]:
    """Relative errors of the answers; parity comes before speed."""
    answers = {}
    for name, kernel in kernels.items():
        answer = kernel()
        device.synchronize()
        on_host = answer.detach().float().cpu().numpy() if hasattr(answer, "detach") else answer
        answers[name] = np.asarray(on_host, dtype=np.float64)
    baseline, wanted = next(iter(answers.items()))
    errors = {}
    for name, answer in answers.items():
        if answer.shape != wanted.shape:
            raise CourseError(f"{name} answers with the shape {answer.shape}, {baseline} with {wanted.shape}.")
        scale = np.linalg.norm(wanted)
        errors[name] = float(np.linalg.norm(answer - wanted) / scale) if scale else float((answer != wanted).any())
        if not errors[name] <= tolerance:
            raise CourseError(
                f"{name} does not give the answer of {baseline}: its relative error is {errors[name]:.2g}, and "
                f"{tolerance:.2g} is allowed. Its speed is not measured."
            )
    return errors
