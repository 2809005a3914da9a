"""Rabiner's scaled variables, with the frame's best density taken out first."""

import numpy as np


def posteriors(log_emission, log_initial, log_transition):
    log_emission = np.asarray(log_emission, dtype=float)
    n_states = len(log_initial)
    fits = log_emission.shape[1:] == (n_states,) and np.shape(log_transition) == (n_states, n_states)
    if len(log_emission) == 0 or not fits:
        raise ValueError("the shapes do not fit")
    peak = log_emission.max(axis=1, keepdims=True)
    if np.any(np.isneginf(peak)):
        raise ValueError("a frame is impossible in every state")
    emission, transition = np.exp(log_emission - peak), np.exp(log_transition)
    alpha, scale = np.empty(emission.shape), np.empty(len(emission))
    for t, frame in enumerate(emission):
        alpha[t] = frame * (alpha[t - 1] @ transition if t else np.exp(log_initial))
        scale[t] = alpha[t].sum()
        if scale[t] == 0:
            raise ValueError("the recording is impossible")
        alpha[t] /= scale[t]
    beta, counts = np.ones(emission.shape), np.zeros((n_states, n_states))
    for t in range(len(emission) - 2, -1, -1):
        ahead = emission[t + 1] * beta[t + 1] / scale[t + 1]
        counts += alpha[t][:, np.newaxis] * transition * ahead
        beta[t] = transition @ ahead
    return alpha * beta, counts
