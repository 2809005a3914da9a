"""The speed-up is told although its interval holds 1."""

# fails: says_what_was_shown

# ruff: noqa: F821 (the other names are those of the lab)

import math

import numpy as np


def speed_up(samples, baseline, variant):
    seconds = {}
    for one in samples:
        if one["round"]:
            seconds.setdefault((one["variant"], one["process"]), []).append(one["seconds"])
    of = {name: {process for other, process in seconds if other == name} for name in (baseline, variant)}
    if not of[baseline] or not of[variant]:
        raise ValueError(f"Expected measured samples of {baseline!r} and {variant!r}.")
    both = sorted(of[baseline] & of[variant])
    if len(both) < 3:
        return {"speed_up": None, "low": None, "high": None, "verdict": "too few"}
    medians = [[np.median(seconds[name, process]) for process in both] for name in (baseline, variant)]
    ratios = np.log(medians[0]) - np.log(medians[1])
    reach = T_95[len(both)] * np.std(ratios, ddof=1) / math.sqrt(len(both))
    value, low, high = (float(np.exp(ratios.mean() + way * reach)) for way in (0, -1, 1))
    verdict = "faster" if low > 1 else "slower" if high < 1 else "not shown"
    return {"speed_up": value, "low": low, "high": high, "verdict": verdict}
