"""Promises, what may be broken of them, and what is worth waking somebody for (Lecture 12, *Cloud and DevOps*).

An objective such as 99.9 % of 30 days leaves a *budget* of bad requests. The *burn rate* is how many times faster than
evenly it is being spent. An alert with two windows asks whether much was burnt, and whether it still burns.

Source: B. Beyer et al., The site reliability workbook, 2018, chapter 5, "Alerting on SLOs", table 5-8.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from course.capacity.quantities import as_many, durations, not_negative, positive, share, whole

DAYS = 30  # over which an objective is promised
MINUTES = DAYS * 24 * 60


@dataclass(frozen=True)
class Alert:
    """A rule: act when a budget burns at ``factor`` or more over a long and over a short window, which ends it soon.

    Args:
        long, short: windows, minutes.
        factor: burn rate.
        action: what is done.
    """

    long: int
    short: int
    factor: float
    action: Literal["page", "ticket"]

    def __post_init__(self):
        whole("minutes of the long window", self.long, whole("minutes of the short window", self.short))
        positive("burn rate", self.factor)

    @property
    def name(self) -> str:
        """As it is shown."""
        long = f"{self.long // 60} h" if self.long % 60 == 0 else f"{self.long} min"
        return f"{self.action}, {long}, {self.factor:g} ×"

    @property
    def spends(self) -> float:
        """The share of 30 days' budget that burns in the long window before the rule acts."""
        return self.factor * self.long / MINUTES


# Table 5-8 of the workbook, for an objective over 30 days: 2 % of the budget in 1 h, 5 % in 6 h, 10 % in 3 days.
SRE_ALERTS = (Alert(60, 5, 14.4, "page"), Alert(360, 30, 6.0, "page"), Alert(4320, 360, 1.0, "ticket"))


def error_budget(objective: float, requests: float) -> float:
    """How many requests may be bad.

    Args:
        objective: share of the requests that is promised to be good, such as 0.999.
        requests: in the time of the promise.
    """
    return (1 - share("objective", objective)) * not_negative("requests", requests)


def burn_rate(bad: float, requests: float, objective: float) -> float:
    """How many times faster than evenly the budget is spent; 0 where nothing came.

    Args:
        bad: requests that were.
        requests: of which.
        objective: share that is promised to be good.
    """
    bad, requests = not_negative("bad requests", bad), not_negative("requests", requests)
    if bad > requests:
        raise ValueError(f"At most {requests:g} bad requests of {requests:g} were expected; {bad:g} came.")
    return bad / requests / (1 - share("objective", objective)) if requests else 0.0


def burn_rates(requests, bad, objective: float, window: int) -> np.ndarray:
    """The burn rate over the window that ends with each minute ``(n_minutes,)``.

    Args:
        requests, bad: ``(n_minutes,)`` in each minute.
        objective: share that is promised to be good.
        window: minutes; in the beginning, those that there are.
    """
    came, failed = durations("requests a minute", requests), durations("bad requests a minute", bad)
    as_many(came, failed)
    if np.any(failed > came):
        raise ValueError("At most as many bad requests as requests were expected in each minute, and more came.")
    total, lost = _over(came, whole("minutes of a window", window)), _over(failed, window)
    shares = np.divide(lost, total, out=np.zeros_like(lost), where=total > 0)
    return shares / (1 - share("objective", objective))


def firing(alert: Alert, requests, bad, objective: float) -> np.ndarray:
    """Whether the rule holds at the end of each minute ``(n_minutes,)``: both windows burn at its factor."""
    long, short = (burn_rates(requests, bad, objective, window) for window in (alert.long, alert.short))
    least = alert.factor * (1 - 1e-9)  # so that rounding of exact ties decides nothing
    return (long >= least) & (short >= least)


def fire(alerts: Sequence[Alert], requests, bad, objective: float) -> Mapping[str, int | None]:
    """The minute, counted from 1, after which each rule acts for the first time; None where it does not."""
    found = {}
    for alert in alerts:
        minutes = np.flatnonzero(firing(alert, requests, bad, objective))
        found[alert.name] = int(minutes[0]) + 1 if minutes.size else None
    return found


def _over(counts: np.ndarray, window: int) -> np.ndarray:
    total = np.concatenate([[0.0], np.cumsum(counts)])
    ends = np.arange(1, counts.size + 1)
    return np.maximum(0.0, total[ends] - total[np.maximum(0, ends - window)])
