"""Multiplies probabilities and takes the logarithm at the end, when they are 0 or infinite."""

# fails: stands_long_recordings

# ruff: noqa: F821 (the other functions are those of the lab)

import numpy as np


def forward(log_emission, log_initial, log_transition):
    log_emission = np.asarray(log_emission, dtype=float)
    n_states = len(log_initial)
    fits = np.shape(log_transition) == (n_states, n_states)
    if len(log_emission) == 0 or log_emission.shape[1:] != (n_states,) or not fits:
        raise ValueError("the shapes do not fit, or there are no frames")
    emission, transition = np.exp(log_emission), np.exp(log_transition)
    alpha = np.empty(log_emission.shape)
    alpha[0] = np.exp(log_initial) * emission[0]
    for t in range(1, len(log_emission)):
        alpha[t] = emission[t] * (alpha[t - 1] @ transition)
    return log_of(alpha)
