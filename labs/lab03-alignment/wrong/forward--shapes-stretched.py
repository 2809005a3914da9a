"""Checks nothing, so that NumPy stretches a single column to all states."""

# fails: refuses_models_that_do_not_fit

import numpy as np


def forward(log_emission, log_initial, log_transition):
    log_emission = np.asarray(log_emission, dtype=float)
    if len(log_emission) == 0:
        raise ValueError("the shapes do not fit, or there are no frames")
    log_alpha = np.empty(log_emission.shape)
    log_alpha[0] = log_initial + log_emission[0]
    for t in range(1, len(log_emission)):
        log_alpha[t] = log_emission[t] + np.logaddexp.reduce(log_alpha[t - 1][:, np.newaxis] + log_transition, axis=0)
    return log_alpha
