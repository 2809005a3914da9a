"""Products are compared in place of logarithms; after some hundred frames all are 0."""

# fails: aligns_long_recordings

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
    best = np.zeros(len(states))
    best[:2] = np.exp(log_probs[0, states[:2]])
    steps = []
    for frame in log_probs[1:]:
        padded = np.concatenate([[0, 0], best])
        ways = np.stack([best, padded[1:-1], np.where(may_skip, padded[:-2], 0)])
        steps.append(ways.argmax(axis=0))  # how many states forward
        best = ways.max(axis=0) * np.exp(frame[states])
    at = [len(states) - 1]
    if len(target) and best[-2] > best[-1]:
        at = [len(states) - 2]
    for step in steps[::-1]:
        at.append(at[-1] - step[at[-1]])
    at = np.array(at[::-1])
    starts = [np.flatnonzero(at == 2 * place + 1)[0] for place in range(len(target))]
    return states[at], np.array(starts, dtype=int)
