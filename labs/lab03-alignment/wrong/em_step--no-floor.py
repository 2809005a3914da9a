"""Variances may shrink to 0."""

# fails: holds_the_variance_floor

# ruff: noqa: F821 (the other functions are those of the lab)

import numpy as np


def em_step(frames, lengths, means, variances, log_transition):
    lengths = np.asarray(lengths)
    if len(lengths) == 0 or np.min(lengths) < 1 or np.sum(lengths) != len(frames):
        raise ValueError("the lengths do not fit the frames")
    log_initial, _ = left_to_right(len(means))
    gammas, counts, log_likelihood = [], np.zeros(log_transition.shape), 0.0
    for recording in np.split(frames, np.cumsum(lengths))[:-1]:
        log_emission = log_gaussian(recording, means, variances)
        gamma, steps = posteriors(log_emission, log_initial, log_transition)
        gammas.append(gamma)
        counts += steps
        log_likelihood += float(np.logaddexp.reduce(forward(log_emission, log_initial, log_transition)[-1]))
    gamma = np.concatenate(gammas)
    expected = gamma.sum(axis=0)[:, np.newaxis]
    weights = gamma.T / np.where(expected > 0, expected, 1)
    new_means = np.where(expected > 0, weights @ frames, means)
    spread = weights @ frames**2 - new_means**2
    new_variances = np.where(expected > 0, spread, variances)
    leaving = counts.sum(axis=1)[:, np.newaxis]
    shares = log_of(counts / np.where(leaving > 0, leaving, 1))
    return new_means, new_variances, np.where(leaving > 0, shares, log_transition), log_likelihood
