"""How often to save what a machine may take away (Lecture 12, *Cloud and DevOps*).

A machine that the provider can take back at any moment is cheap. What was computed since the last checkpoint is lost
then; saving too often loses time as well.

Sources: J. W. Young, A first order approximation to the optimum checkpoint interval, 1974; J. T. Daly, A higher order
estimate of the optimum checkpoint interval for restart dumps, 2006 (its model: failures may strike while saving and
while restarting).
"""

import itertools
import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from course.capacity.quantities import not_negative, positive

MOST_LOSSES = 100_000


class Run(NamedTuple):
    """What a job took: seconds of the clock, and how often the machine was lost."""

    seconds: float
    losses: int


def young_interval(save: float, between: float) -> float:
    """Seconds of work between two checkpoints, to first order.

    Args:
        save: seconds that a checkpoint takes.
        between: mean seconds between two losses of the machine.
    """
    return math.sqrt(2 * positive("seconds of a checkpoint", save) * positive("seconds between losses", between))


def daly_interval(save: float, between: float) -> float:
    """Seconds of work between two checkpoints, to higher order (equation 37); all arguments as for Young's."""
    first = young_interval(save, between)
    if save >= 2 * between:
        return between
    part = save / (2 * between)
    return first * (1 + math.sqrt(part) / 3 + part / 9) - save


def expected_seconds(work: float, every: float, save: float, restart: float, between: float) -> float:
    """Mean seconds of the clock that a job takes, losses being random and independent of its progress.

    Args:
        work: seconds of computing in the job.
        every: seconds of work between two checkpoints.
        save, restart: seconds of a checkpoint, and of getting another machine and reading it.
        between: mean seconds between two losses.

    Returns:
        Seconds, for a last piece that is as long as what is left; infinite where no float can hold it.
    """
    work, every = positive("seconds of work", work), positive("seconds between checkpoints", every)
    save, restart = not_negative("seconds of a checkpoint", save), not_negative("seconds of a restart", restart)
    between = positive("seconds between losses", between)
    try:
        each = between * math.exp(restart / between)
        full, rest = divmod(work, every)
        last = math.expm1((rest + save) / between) if rest else 0.0
        return each * (full * math.expm1((every + save) / between) + last)
    except OverflowError:
        return math.inf


def run_preempted(work: float, every: float, save: float, restart: float, between: float, seed: int) -> Run:
    """Play a job through, loss by loss; arguments as for :func:`expected_seconds`.

    Raises:
        ValueError: a number that cannot be, or a job that was lost a hundred thousand times and is not done.
    """
    work, every = positive("seconds of work", work), positive("seconds between checkpoints", every)
    save, restart = not_negative("seconds of a checkpoint", save), not_negative("seconds of a restart", restart)
    between, drawn = positive("seconds between losses", between), np.random.default_rng(seed)
    now, losses, strikes = 0.0, 0, drawn.exponential(between)
    for piece in _pieces(work, every):
        while now + piece + save > strikes:
            now, strikes, losses = strikes, strikes + drawn.exponential(between), losses + 1
            while now + restart > strikes:  # the next machine is lost before it is ready
                now, strikes, losses = strikes, strikes + drawn.exponential(between), losses + 1
                _check_ends(losses)
            now += restart
            _check_ends(losses)
        now += piece + save
    return Run(now, losses)


def _pieces(work: float, every: float) -> Iterator[float]:
    """Seconds of work between checkpoints; the last piece is what is left."""
    full, rest = divmod(work, every)
    yield from itertools.repeat(every, int(full))
    if rest:
        yield rest


def _check_ends(losses: int) -> None:
    if losses > MOST_LOSSES:
        raise ValueError(f"A job that ends was expected; this one lost {losses:,} machines. Save more often.")
