"""Sums by hand: a loop over states, np.average for means and for variances about the new mean."""

# ruff: noqa: F821 (the other functions are those of the lab)

import numpy as np


def em_step(frames, lengths, means, variances, log_transition):
    lengths = [int(length) for length in lengths]
    if not lengths or min(lengths) < 1 or sum(lengths) != frames.shape[0]:
        raise ValueError("these are not the lengths of the recordings")
    n_states = means.shape[0]
    begin = np.full(n_states, -np.inf)
    begin[0] = 0.0
    beliefs, counts, total, start = [], 0, 0.0, 0
    for length in lengths:
        part = frames[start : start + length]
        start += length
        emission = log_gaussian(part, means, variances)
        gamma, steps = posteriors(emission, begin, log_transition)
        beliefs.append(gamma)
        counts = counts + steps
        total += log_sum_exp(forward(emission, begin, log_transition)[-1])
    gamma = np.vstack(beliefs)
    means, variances, log_transition = means.copy(), variances.copy(), log_transition.copy()
    for state in range(n_states):
        weights = gamma[:, state]
        if weights.sum() > 0:
            means[state] = np.average(frames, axis=0, weights=weights)
            spread = np.average((frames - means[state]) ** 2, axis=0, weights=weights)
            variances[state] = np.maximum(spread, VARIANCE_FLOOR)
        if counts[state].sum() > 0:
            log_transition[state] = log_of(counts[state] / counts[state].sum())
    return means, variances, log_transition, total
