"""Each system gets calls of its own, so that hard calls do not cancel."""

# fails: is_as_wide_as_calls_differ

# ruff: noqa: F821 (the other names are those of the lab)

import numpy as np


def paired_interval(baseline, candidate, calls, seed, level=0.95):
    if not len(baseline) == len(candidate) == len(calls):
        raise ValueError(f"Expected as many scores as calls; got {len(baseline)}, {len(candidate)} and {len(calls)}.")
    names, call_of = np.unique(calls, return_inverse=True)
    if len(names) < 2 or not 0 < level < 1:
        raise ValueError(f"Expected two calls or more and a level inside (0, 1); got {len(names)} and {level}.")
    sums = [np.bincount(call_of, np.asarray(one, dtype=float)) for one in (baseline, candidate)]
    n_turns = np.bincount(call_of)
    rng, means = np.random.default_rng(seed), []
    for one in sums:
        drawn = rng.integers(len(names), size=(N_DRAWS, len(names)))
        means.append(one[drawn].sum(axis=1) / n_turns[drawn].sum(axis=1))
    differences = means[1] - means[0]
    low, high = np.quantile(differences, [(1 - level) / 2, (1 + level) / 2])
    return float((sums[1].sum() - sums[0].sum()) / n_turns.sum()), float(low), float(high)
