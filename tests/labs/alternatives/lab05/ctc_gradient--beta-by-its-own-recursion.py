"""Beta from the end, without the frame's own symbol, by a matrix of steps; shares added up with np.add.at."""

# ruff: noqa: F821 (the other names are those of the lab)

import numpy as np


def ctc_gradient(logits, target):
    log_probs = log_softmax(logits)
    log_likelihood = ctc_log_likelihood(log_probs, target)
    gradient = np.zeros(log_probs.shape)
    if len(log_probs) == 0 or log_likelihood == -np.inf:
        return -log_likelihood, gradient
    states = with_blanks(target)
    n_frames, n_states = len(log_probs), len(states)
    steps = np.full((n_states, n_states), -np.inf)
    for s in range(n_states):
        steps[s, s : s + 2] = 0
        if s + 2 < n_states and states[s] != states[s + 2]:
            steps[s, s + 2] = 0
    emission = log_probs[:, states]
    alpha = np.full((n_frames, n_states), -np.inf)
    beta = np.full((n_frames, n_states), -np.inf)
    alpha[0, :2], beta[-1, -2:] = emission[0, :2], 0
    for t in range(1, n_frames):
        alpha[t] = np.logaddexp.reduce(alpha[t - 1][:, np.newaxis] + steps, axis=0) + emission[t]
    for t in range(n_frames - 2, -1, -1):
        beta[t] = np.logaddexp.reduce(steps + emission[t + 1] + beta[t + 1], axis=1)
    np.add.at(gradient.T, states, np.exp(alpha + beta - log_likelihood).T)
    return -log_likelihood, np.exp(log_probs) - gradient
