"""What samples can carry: medians and ratios with intervals, percentiles, two modes, and refusals (Lecture 11).

Trials of one process share its memory layout, its compiled code and the state of the machine, so that they say little
about the next process. Intervals here therefore draw whole processes, with replacement, and average what each gave.
Drawing P values again shows only (P - 1) / P of their variance, and the normal quantile suits many of them; with few,
the draws are widened by sqrt(P / (P - 1)) * t / z on the logarithmic scale.

Sources: B. Efron and R. Tibshirani, An introduction to the bootstrap, 1993 (the percentile interval); A. Cameron, J.
Gelbach and D. Miller, Bootstrap-based improvements for inference with clustered errors, 2008 (drawing clusters); T.
Kalibera and R. Jones, Rigorous benchmarking in reasonable time, 2013 (several processes); H. David and H. Nagaraja,
Order statistics, 2003 (the interval of a percentile).
"""

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Literal, NamedTuple

import numpy as np
import scipy.stats

from course.bench.statistics import FEWEST, LEVEL, SEED, Interval, median_interval
from course.measure.record import Phase, Record, Trial

FEWEST_PROCESSES = 3
DRAWS = 2000
MOST_DRAWN = 1000  # samples of one process that are drawn again; more of them have the interval of order statistics
BEYOND = 10  # samples that have to lie beyond a percentile: their number then varies by a third, 1 / sqrt(10)
STILL_FALLING = 0.05  # a warm-up goes on while its last trials are faster than those before by more than this
SEPARATED = 5.0  # distance of two modes in their own standard deviations; a normal sample cut in two has 2.6
SMALLEST_MODE = 0.25  # share of the samples; less are outliers
FURTHER = 1.1  # ratio of two modes; one number stands well enough for closer ones
FEWEST_FOR_MODES = 12

HAD = 0.9  # share of the time in which a process on the processor should have computed
FEWEST_TO_BE_FIRST = 4  # trials of a process, of which the first could be the slowest by chance

Samples = Mapping[int, Sequence[float]]
Clock = Literal["seconds", "process_seconds"]


class Estimate(NamedTuple):
    """A number with its interval, or the reason why there is none.

    Attributes:
        value: None where it is refused.
        interval: None where there are too few samples for one.
        n, processes: samples, and processes that they came from.
        refused: the sentence that stands in the value's place.
        doubt: what has to be said beside the value.
    """

    value: float | None
    interval: Interval | None
    n: int
    processes: int
    refused: str = ""
    doubt: str = ""


class Modes(NamedTuple):
    """Two modes of a sample: their medians, and the share of the samples that is in the upper one."""

    low: float
    high: float
    share_high: float


def per_step(record: Record, variant: str, phase: Phase, clock: Clock = "seconds") -> dict[int, list[float]]:
    """Seconds per step of the phase, of the measured trials, by process.

    Args:
        clock: "seconds" of the wall, or "process_seconds", which leave out what other programs took; trials without
            that clock are left out.
    """
    found: dict[int, list[float]] = {}
    for trial in record.measured(variant):
        timing = trial.timing(phase)
        seconds = None if timing is None else getattr(timing, clock)
        if seconds:
            found.setdefault(trial.process, []).append(seconds / timing.steps)
    return found


def phases_of(record: Record, variant: str) -> tuple[Phase, ...]:
    """The phases that the variant's trials have, in their order."""
    trials = record.measured(variant)
    return tuple(timing.phase for timing in trials[0].timings) if trials else ()


def no_number(record: Record, variant: str) -> str:
    """Why no number of this variant may be shown, or nothing: parity comes before speed."""
    parity = record.variant(variant).parity
    if parity is None:
        return f"{variant} came without parity: its answers were not compared with those of {record.baseline}."
    failures = parity.failures()
    if failures:
        return f"{variant} does not give the answers of {parity.reference}: {'; '.join(failures)}."
    return ""


def median(record: Record, variant: str, phase: Phase) -> Estimate:
    """Seconds per step of a phase, with an interval; refused without parity."""
    samples = per_step(record, variant, phase)
    n, processes = sum(map(len, samples.values())), len(samples)
    refused = no_number(record, variant) or ("" if n else f"{variant} has no trial with a {phase}.")
    if refused:
        return Estimate(None, None, n, processes, refused)
    pooled = _pooled(samples)
    doubts = [doubt for doubt in (_modes_words(pooled), _shared_words(record, variant, phase)) if doubt]
    return Estimate(float(np.median(pooled)), median_of_processes(samples), n, processes, doubt="; ".join(doubts))


def speed_up(
    record: Record, variant: str, phase: Phase, baseline: str | None = None, clock: Clock = "seconds"
) -> Estimate:
    """How many times faster than the baseline a step is; refused without parity, or if it may be 1.

    Args:
        baseline: a variant; the one that parity refers to, if not given.
        clock: as for :func:`per_step`.
    """
    parity = record.variant(variant).parity
    baseline = baseline or (parity.reference if parity else record.baseline)
    above, below = per_step(record, baseline, phase, clock), per_step(record, variant, phase, clock)
    shared = sorted(set(above) & set(below))
    n = sum(len(below[process]) for process in shared)

    def refuse(reason: str, interval: Interval | None = None) -> Estimate:
        return Estimate(None, interval, n, len(shared), reason)

    without = no_number(record, variant) or no_number(record, baseline)
    if without:
        return refuse(without)
    if len(shared) < FEWEST_PROCESSES:
        few = f"{len(shared)} process{'es are' if len(shared) != 1 else ' is'} too few to speak for the next one"
        return refuse(f"{few}; {FEWEST_PROCESSES} are needed.")
    value, interval = ratio_of_processes(above, below)
    if interval.contains(1.0):
        ends = f"{interval.low:.3g} to {interval.high:.3g}"
        return refuse(f"the interval of the ratio, {ends}, contains 1: no difference was shown.", interval)
    return Estimate(value, interval, n, len(shared))


def share_computed(record: Record, variant: str, phase: Phase) -> float | None:
    """The share of a phase's time in which its process computed, on one thread of a processor; else None."""
    if record.device.kind != "cpu" or record.device.threads != 1:
        return None
    timings = [timing for trial in record.measured(variant) if (timing := trial.timing(phase))]
    if not timings or any(timing.process_seconds is None for timing in timings):
        return None
    return sum(timing.process_seconds for timing in timings) / sum(timing.seconds for timing in timings)


def median_of_processes(samples: Samples) -> Interval | None:
    """The 95 % interval of the median; of a single process it holds for that process only.

    Args:
        samples: process to its positive samples.

    Returns:
        None for a single process with fewer than six samples, and for two processes.
    """
    if len(samples) >= FEWEST_PROCESSES:
        own = np.log([np.median(values) for values in samples.values()])
        return _clustered(own, math.log(np.median(_pooled(samples))))
    if len(samples) != 1:
        return None
    (values,) = samples.values()
    if len(values) <= MOST_DRAWN:
        return median_interval(values)
    ordered, (low, high) = np.sort(values), _ranks(len(values), 0.5)
    return Interval(float(ordered[low - 1]), float(ordered[high - 1]))


def ratio_of_processes(above: Samples, below: Samples) -> tuple[float, Interval]:
    """The ratio of two medians that were measured side by side: of each process, then the geometric mean over them.

    What a process adds to both cancels, which it would not in the ratio of medians over all processes.

    Args:
        above, below: process to positive samples; a process counts if it has both.

    Returns:
        the ratio, and its 95 % interval.

    Raises:
        ValueError: fewer than three processes have both.
    """
    own = _log_ratios(above, below)
    return math.exp(own.mean()), _clustered(own, own.mean())


def paired_ratio(above: Sequence[float], below: Sequence[float]) -> tuple[float, Interval]:
    """The ratio of two medians within one process, and its 95 % interval: rounds are drawn again, both sides together.

    Args:
        above, below: ``(n_rounds,)`` positive samples of the same rounds.

    Raises:
        ValueError: the rounds are not as many, or fewer than six.
    """
    if len(above) != len(below) or len(above) < FEWEST:
        raise ValueError(f"At least {FEWEST} rounds with both were expected; {len(above)} and {len(below)} came.")

    def ratio(one: np.ndarray, other: np.ndarray, axis: int = -1) -> np.ndarray:
        return np.median(one, axis=axis) / np.median(other, axis=axis)

    found = scipy.stats.bootstrap(
        (above, below),
        ratio,
        paired=True,
        vectorized=True,
        n_resamples=DRAWS,
        confidence_level=LEVEL,
        method="percentile",
        rng=np.random.default_rng(SEED),
    )
    ends = Interval(*map(float, found.confidence_interval))
    return float(ratio(np.asarray(above), np.asarray(below))), ends


def needed_for(level: float) -> int:
    """How many samples a percentile needs, so that ten lie beyond it: 200 for the 95th, 1,000 for the 99th."""
    _check_level(level)
    return math.ceil(BEYOND / (1 - Fraction(str(level))))


def percentile(values: Sequence[float], level: float) -> Estimate:
    """The smallest sample that at least a share ``level`` of the samples does not exceed, or why there is none.

    The interval is that of order statistics: the number of samples below the true percentile is binomial, whatever the
    distribution. Samples are taken as independent; requests that wait for one another are not, so that the interval of
    their latency is too narrow.

    Raises:
        ValueError: the level is not between 0 and 1, or a sample is not finite.
    """
    ordered = np.sort(np.asarray(values, dtype=float))
    if not np.isfinite(ordered).all():
        raise ValueError("Finite samples were expected for a percentile.")
    needed, n = needed_for(level), ordered.size
    if n < needed:
        return Estimate(
            None, None, n, 1, f"{n} samples cannot carry the percentile {100 * level:g}; it takes {needed:,}."
        )
    place = math.ceil(Fraction(str(level)) * n)
    low, high = _ranks(n, level)
    return Estimate(float(ordered[place - 1]), Interval(float(ordered[low - 1]), float(ordered[high - 1])), n, 1)


def two_modes(values: Sequence[float]) -> Modes | None:
    """The two modes of a sample that has them, so that one number for both is no lie.

    The sorted logarithms are cut where the two parts vary least within themselves. They are two modes if each has its
    share of the samples and their means are far apart in units of what is left of the spread (Otsu's cut, Ashman's
    distance).

    Args:
        values: ``(n,)`` positive samples; fewer than twelve show nothing.
    """
    ordered = np.sort(np.asarray(values, dtype=float))
    n = ordered.size
    if n < FEWEST_FOR_MODES or ordered[0] <= 0:
        return None
    logs = np.log(ordered)
    smallest = max(2, math.ceil(SMALLEST_MODE * n))
    sizes, sums, squares = np.arange(1, n + 1), np.cumsum(logs), np.cumsum(logs**2)
    below = squares - sums**2 / sizes  # of each beginning, the sum of squares around its mean
    above = squares[-1] - squares[:-1] - (sums[-1] - sums[:-1]) ** 2 / (n - sizes[:-1])
    within = below[:-1] + above
    cut = smallest + int(np.argmin(within[smallest - 1 : n - smallest]))
    spread = max(math.sqrt(max(within[cut - 1], 0.0) / n), 1e-3)
    if logs[cut:].mean() - logs[:cut].mean() < max(SEPARATED * spread, math.log(FURTHER)):
        return None
    return Modes(float(np.median(ordered[:cut])), float(np.median(ordered[cut:])), (n - cut) / n)


def is_warm(seconds: Sequence[float], window: int) -> bool:
    """Whether warm-ups have stopped getting faster: the last ``window`` are not below those before by over 5 %."""
    if len(seconds) < 2 * window:
        return False
    before, last = np.median(seconds[-2 * window : -window]), np.median(seconds[-window:])
    return bool(last >= (1 - STILL_FALLING) * before)


def cold_starts(trials: Sequence[Trial], factor: float) -> tuple[int, int]:
    """In how many processes the first measured trial was the slowest, and slower than the others' median by ``factor``.

    Returns:
        their number, and how many processes have enough trials for the question.
    """
    by_process: dict[int, list[float]] = {}
    for trial in trials:
        by_process.setdefault(trial.process, []).append(trial.seconds)
    judged = [times for times in by_process.values() if len(times) >= FEWEST_TO_BE_FIRST]
    cold = [times for times in judged if times[0] == max(times) and times[0] > factor * np.median(times[1:])]
    return len(cold), len(judged)


def _modes_words(pooled: np.ndarray) -> str:
    modes = two_modes(pooled)
    return "" if modes is None else f"two modes, {modes.low:.3g} s and {modes.high:.3g} s ({modes.share_high:.0%})"


def _shared_words(record: Record, variant: str, phase: Phase) -> str:
    share = share_computed(record, variant, phase)
    if share is None or share >= HAD:
        return ""
    return f"its process had the processor {share:.0%} of the time, other programs the rest"


def _clustered(own: np.ndarray, centre: float) -> Interval:
    """The interval around ``exp(centre)``, from how much the logarithms ``own (n_processes,)`` differ."""
    count, tail = own.size, (1 + LEVEL) / 2
    draws = np.random.default_rng(SEED).integers(count, size=(DRAWS, count))
    low, high = np.quantile(own[draws].mean(axis=1) - own.mean(), [1 - tail, tail])
    wider = math.sqrt(count / (count - 1)) * scipy.stats.t.ppf(tail, count - 1) / scipy.stats.norm.ppf(tail)
    return Interval(math.exp(centre + wider * min(low, 0.0)), math.exp(centre + wider * max(high, 0.0)))


def _log_ratios(above: Samples, below: Samples) -> np.ndarray:
    """Logarithms of the ratio of the medians within each process that has both, in the order of the processes."""
    shared = sorted(set(above) & set(below))
    if len(shared) < FEWEST_PROCESSES:
        raise ValueError(f"At least {FEWEST_PROCESSES} processes with both were expected; {len(shared)} came.")
    return np.log([np.median(above[process]) / np.median(below[process]) for process in shared])


def _pooled(samples: Samples) -> np.ndarray:
    return np.concatenate([np.asarray(samples[process], dtype=float) for process in sorted(samples)])


def _ranks(n: int, level: float) -> tuple[int, int]:
    """Ranks, from 1, of the samples that enclose the percentile with probability 0.95 or more, as far as n allows."""
    below = scipy.stats.binom(n, level)
    low, high = int(below.ppf((1 - LEVEL) / 2)), int(below.ppf((1 + LEVEL) / 2)) + 1
    return max(low, 1), min(high, n)


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ValueError(f"A level between 0 and 1 was expected, such as 0.99; {level} came.")
