"""Takes the share of alpha, which knows only the frames so far."""

# fails: weighs_all_paths

# ruff: noqa: F821 (the other functions are those of the lab)

import numpy as np


def posteriors(log_emission, log_initial, log_transition):
    log_alpha = forward(log_emission, log_initial, log_transition)
    log_likelihood = np.logaddexp.reduce(log_alpha[-1])
    if log_likelihood == -np.inf:
        raise ValueError("the recording has probability 0")
    log_beta = np.zeros(log_alpha.shape)
    counts = np.zeros(log_transition.shape)
    for t in range(len(log_alpha) - 2, -1, -1):
        ahead = log_transition + log_emission[t + 1] + log_beta[t + 1]
        log_beta[t] = np.logaddexp.reduce(ahead, axis=1)
        counts += np.exp(log_alpha[t][:, np.newaxis] + ahead - log_likelihood)
    return np.exp(log_alpha - np.logaddexp.reduce(log_alpha, axis=1)[:, np.newaxis]), counts
