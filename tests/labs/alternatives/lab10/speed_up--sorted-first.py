"""A table of medians by process, and the interval from the variance."""

# ruff: noqa: F821 (the other names are those of the lab)

import statistics

import numpy as np


def speed_up(samples, baseline, variant):
    table = {}
    for one in samples:
        if one["round"] > 0:
            table.setdefault(one["variant"], {}).setdefault(one["process"], []).append(one["seconds"])
    if baseline not in table or variant not in table:
        raise ValueError("one of the two was not measured")
    above, below = table[baseline], table[variant]
    logs = [np.log(statistics.median(above[k])) - np.log(statistics.median(below[k])) for k in above if k in below]
    if len(logs) < 3:
        return dict(speed_up=None, low=None, high=None, verdict="too few")
    middle, reach = statistics.fmean(logs), T_95[len(logs)] * (statistics.variance(logs) / len(logs)) ** 0.5
    low, high = float(np.exp(middle - reach)), float(np.exp(middle + reach))
    if low > 1 or high < 1:
        return dict(speed_up=float(np.exp(middle)), low=low, high=high, verdict="faster" if low > 1 else "slower")
    return dict(speed_up=None, low=low, high=high, verdict="not shown")
