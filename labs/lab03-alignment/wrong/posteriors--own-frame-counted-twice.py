"""The backward pass begins with the frame itself, which alpha has counted already."""

# fails: weighs_all_paths

# ruff: noqa: F821 (the other functions are those of the lab)

import numpy as np


def posteriors(log_emission, log_initial, log_transition):
    log_alpha = forward(log_emission, log_initial, log_transition)
    log_likelihood = np.logaddexp.reduce(log_alpha[-1])
    if log_likelihood == -np.inf:
        raise ValueError("the recording has probability 0")
    log_beta = np.array(log_emission, dtype=float)
    counts = np.zeros(log_transition.shape)
    for t in range(len(log_alpha) - 2, -1, -1):
        ahead = log_transition + log_beta[t + 1]
        log_beta[t] += np.logaddexp.reduce(ahead, axis=1)
        counts += np.exp(log_alpha[t][:, np.newaxis] + ahead - log_likelihood)
    gamma = np.exp(log_alpha + log_beta - np.max(log_alpha + log_beta, axis=1)[:, np.newaxis])
    return gamma / gamma.sum(axis=1)[:, np.newaxis], counts
