"""The walk back begins in the last blank, even if the label is the better end."""

# fails: begins_and_ends_either_way

# ruff: noqa: F821 (the other names are those of the lab)

import numpy as np


def forced_alignment(log_probs, target):
    log_probs = np.asarray(log_probs, dtype=float)
    if ctc_log_likelihood(log_probs, target) == -np.inf:
        raise ValueError(f"{len(target)} labels have no path in these {len(log_probs)} frames.")
    if len(log_probs) == 0:
        return np.zeros(0, dtype=int), np.zeros(0, dtype=int)
    states = with_blanks(target)
    may_skip = np.zeros(len(states), dtype=bool)
    may_skip[3::2] = states[3::2] != states[1:-2:2]
    best = np.full(len(states), -np.inf)
    best[:2] = log_probs[0, states[:2]]
    steps = []
    for frame in log_probs[1:]:
        padded = np.concatenate([[-np.inf, -np.inf], best])
        ways = np.stack([best, padded[1:-1], np.where(may_skip, padded[:-2], -np.inf)])
        steps.append(ways.argmax(axis=0))  # how many states forward
        best = ways.max(axis=0) + frame[states]
    at = [len(states) - 1]
    for step in steps[::-1]:
        at.append(at[-1] - step[at[-1]])
    at = np.array(at[::-1])
    starts = [np.flatnonzero(at == 2 * place + 1)[0] for place in range(len(target))]
    return states[at], np.array(starts, dtype=int)
