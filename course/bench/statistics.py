"""Medians, ratios of medians and growth, each with an interval, or with the reason why there is none."""

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy.optimize
import scipy.stats

LEVEL = 0.95
# Of n samples the smallest and the largest enclose the median with probability 1 - 2 ** (1 - n): six reach 0.95.
FEWEST = 6
RESAMPLES = 9999
SEED = 20261122  # of the resampling, so that the same samples give the same interval


class Interval(NamedTuple):
    """The ends of a 95 % interval."""

    low: float
    high: float

    def contains(self, value: float) -> bool:
        """Whether the value lies in the interval or at one of its ends."""
        return self.low <= value <= self.high


class Growth(NamedTuple):
    """Seconds for n items as ``fixed + each * n ** exponent``; ``interval`` is that of the exponent."""

    fixed: float
    each: float
    exponent: float
    interval: Interval

    def seconds(self, n: float) -> float:
        """The time that the curve gives for n items, seconds."""
        return self.fixed + self.each * n**self.exponent


def median_interval(samples: Sequence[float]) -> Interval | None:
    """The percentile bootstrap interval of the median of ``(n,)`` independent samples; None for fewer than six."""
    if len(samples) < FEWEST:
        return None
    return _bootstrap((samples,), np.median)


def ratio_interval(numerator: Sequence[float], denominator: Sequence[float]) -> Interval | None:
    """The percentile bootstrap interval of the ratio of two medians; None for fewer than six samples of either.

    Args:
        numerator, denominator: ``(n,)`` and ``(m,)`` positive samples; they are resampled apart.
    """
    if min(len(numerator), len(denominator)) < FEWEST:
        return None
    return _bootstrap((numerator, denominator), _ratio_of_medians)


def growth(counts: Sequence[float], seconds: Sequence[float]) -> Growth | None:
    """Fit how time grows with the number of items; errors are taken as proportional to the time.

    Args:
        counts: ``(n,)`` numbers of items, at least four different ones.
        seconds: ``(n,)`` times.

    Returns:
        The curve, or None where there are too few sizes, or the samples fix no curve.
    """
    sizes, times = np.asarray(counts, dtype=float), np.asarray(seconds, dtype=float)
    if np.unique(sizes).size < 4:
        return None
    start = (times.min() / 2, times.max() / sizes.max(), 1.0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", scipy.optimize.OptimizeWarning)
            fitted, covariance = scipy.optimize.curve_fit(
                _curve, sizes, times, p0=start, sigma=times, bounds=((0, 0, 0.1), (np.inf, np.inf, 4)), maxfev=5000
            )
    except (RuntimeError, scipy.optimize.OptimizeWarning):
        return None
    reach = scipy.stats.t.ppf((1 + LEVEL) / 2, sizes.size - 3) * covariance[2, 2] ** 0.5
    fixed, each, exponent = map(float, fitted)
    return Growth(fixed, each, exponent, Interval(exponent - float(reach), exponent + float(reach)))


def _bootstrap(samples: tuple[Sequence[float], ...], statistic) -> Interval:
    found = scipy.stats.bootstrap(
        samples,
        statistic,
        n_resamples=RESAMPLES,
        confidence_level=LEVEL,
        method="percentile",
        vectorized=True,
        rng=np.random.default_rng(SEED),
    )
    return Interval(*map(float, found.confidence_interval))


def _ratio_of_medians(numerator: np.ndarray, denominator: np.ndarray, axis: int = -1) -> np.ndarray:
    return np.median(numerator, axis=axis) / np.median(denominator, axis=axis)


def _curve(n: np.ndarray, fixed: float, each: float, exponent: float) -> np.ndarray:
    return fixed + each * n**exponent
