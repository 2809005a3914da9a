"""Takes the best path to a state where all have to be added."""

# fails: adds_up_all_paths

import numpy as np


def forward(log_emission, log_initial, log_transition):
    log_emission = np.asarray(log_emission, dtype=float)
    n_states = len(log_initial)
    fits = np.shape(log_transition) == (n_states, n_states)
    if len(log_emission) == 0 or log_emission.shape[1:] != (n_states,) or not fits:
        raise ValueError("the shapes do not fit, or there are no frames")
    log_alpha = np.empty(log_emission.shape)
    log_alpha[0] = log_initial + log_emission[0]
    for t in range(1, len(log_emission)):
        log_alpha[t] = log_emission[t] + np.max(log_alpha[t - 1][:, np.newaxis] + log_transition, axis=0)
    return log_alpha
