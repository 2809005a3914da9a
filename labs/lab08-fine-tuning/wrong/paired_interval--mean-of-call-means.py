"""Every call weighs the same, however long it is."""

# fails: gives_the_difference_over_turns

# ruff: noqa: F821 (the other names are those of the lab)

import numpy as np


def paired_interval(baseline, candidate, calls, seed, level=0.95):
    if not len(baseline) == len(candidate) == len(calls):
        raise ValueError(f"Expected as many scores as calls; got {len(baseline)}, {len(candidate)} and {len(calls)}.")
    names, call_of = np.unique(calls, return_inverse=True)
    if len(names) < 2 or not 0 < level < 1:
        raise ValueError(f"Expected two calls or more and a level inside (0, 1); got {len(names)} and {level}.")
    gains = np.bincount(call_of, np.asarray(candidate, dtype=float) - baseline) / np.bincount(call_of)
    drawn = np.random.default_rng(seed).integers(len(names), size=(N_DRAWS, len(names)))
    differences = gains[drawn].mean(axis=1)
    low, high = np.quantile(differences, [(1 - level) / 2, (1 + level) / 2])
    return float(gains.mean()), float(low), float(high)
