"""Each state carries its best path along; a list comprehension takes the first of equal ones."""

import numpy as np


def viterbi(log_emission, log_initial, log_transition):
    if len(log_emission) == 0:
        raise ValueError("there is nothing to decode")
    n_states = len(log_initial)
    scores = [float(log_initial[j] + log_emission[0][j]) for j in range(n_states)]
    paths = [[j] for j in range(n_states)]
    for frame in log_emission[1:]:
        befores = [max(range(n_states), key=lambda i: scores[i] + log_transition[i][j]) for j in range(n_states)]
        paths = [[*paths[befores[j]], j] for j in range(n_states)]
        scores = [float(scores[befores[j]] + log_transition[befores[j]][j] + frame[j]) for j in range(n_states)]
    last = max(range(n_states), key=lambda j: scores[j])
    if scores[last] == -np.inf:
        raise ValueError("no path explains this")
    return np.array(paths[last]), scores[last]
