"""Works with probabilities, which are 0 or infinite after some hundred frames."""

# fails: stays_sure_of_long_recordings

# ruff: noqa: F821 (the other functions are those of the lab)

import numpy as np


def posteriors(log_emission, log_initial, log_transition):
    alpha = np.exp(forward(log_emission, log_initial, log_transition))
    emission, transition = np.exp(log_emission), np.exp(log_transition)
    likelihood = alpha[-1].sum()
    if likelihood == 0:
        raise ValueError("the recording has probability 0")
    beta, counts = np.ones(alpha.shape), np.zeros(transition.shape)
    for t in range(len(alpha) - 2, -1, -1):
        ahead = transition * emission[t + 1] * beta[t + 1]
        beta[t] = ahead.sum(axis=1)
        counts += alpha[t][:, np.newaxis] * ahead / likelihood
    return alpha * beta / likelihood, counts
