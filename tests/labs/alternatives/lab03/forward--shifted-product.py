"""A matrix product of probabilities after the largest has been taken out of each row."""

import numpy as np


def forward(log_emission, log_initial, log_transition):
    emission = np.asarray(log_emission, dtype=float)
    n_states = np.size(log_initial)
    if len(emission) == 0:
        raise ValueError("there is no frame")
    if emission.shape[1] != n_states or np.shape(log_transition) != (n_states, n_states):
        raise ValueError("the shapes do not fit")
    alpha = [np.asarray(log_initial) + emission[0]]
    for frame in emission[1:]:
        arriving = alpha[-1][:, np.newaxis] + log_transition
        peak = arriving.max(axis=0)
        shift = np.where(np.isfinite(peak), peak, 0)
        with np.errstate(divide="ignore"):
            alpha.append(frame + shift + np.log(np.exp(arriving - shift).sum(axis=0)))
    return np.stack(alpha)
