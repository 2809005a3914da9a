"""How often each call is drawn, from a multinomial distribution; sums by a table of calls and turns."""

# ruff: noqa: F821 (the other names are those of the lab)

import numpy as np


def paired_interval(baseline, candidate, calls, seed, level=0.95):
    names = sorted(set(calls))
    if len({len(baseline), len(candidate), len(calls)}) > 1:
        raise ValueError("scores and calls differ in number")
    if len(names) < 2:
        raise ValueError("one call is not enough")
    if level <= 0 or level >= 1:
        raise ValueError("a level lies between 0 and 1")
    gain = np.subtract(candidate, baseline, dtype=float)
    belongs = np.array([[call == name for call in calls] for name in names], dtype=float)
    times = np.random.default_rng(seed).multinomial(len(names), [1 / len(names)] * len(names), size=N_DRAWS)
    means = (times @ (belongs @ gain)) / (times @ belongs.sum(axis=1))
    return (gain.mean(), *np.percentile(means, [50 - 50 * level, 50 + 50 * level]))
