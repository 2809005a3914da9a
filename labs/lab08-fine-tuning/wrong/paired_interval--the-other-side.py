"""The percentiles are put on the other side: the interval is mirrored at the difference."""

# fails: keeps_the_lopsided_side

# ruff: noqa: F821 (the other names are those of the lab)

import numpy as np


def paired_interval(baseline, candidate, calls, seed, level=0.95):
    if not len(baseline) == len(candidate) == len(calls):
        raise ValueError(f"Expected as many scores as calls; got {len(baseline)}, {len(candidate)} and {len(calls)}.")
    names, call_of = np.unique(calls, return_inverse=True)
    if len(names) < 2 or not 0 < level < 1:
        raise ValueError(f"Expected two calls or more and a level inside (0, 1); got {len(names)} and {level}.")
    gains = np.bincount(call_of, np.asarray(candidate, dtype=float) - baseline)
    n_turns = np.bincount(call_of)
    drawn = np.random.default_rng(seed).integers(len(names), size=(N_DRAWS, len(names)))
    differences = gains[drawn].sum(axis=1) / n_turns[drawn].sum(axis=1)
    low, high = np.quantile(differences, [(1 - level) / 2, (1 + level) / 2])
    centre = float(gains.sum() / n_turns.sum())
    return centre, float(2 * centre - high), float(2 * centre - low)
