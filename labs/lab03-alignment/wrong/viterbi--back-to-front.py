"""The path is returned as it was found, from the end."""

# fails: never_goes_back_in_one_way_chains

import numpy as np


def viterbi(log_emission, log_initial, log_transition):
    log_emission = np.asarray(log_emission, dtype=float)
    if len(log_emission) == 0:
        raise ValueError("there are no frames")
    best = log_initial + log_emission[0]
    came_from = np.zeros(log_emission.shape, dtype=int)
    for t in range(1, len(log_emission)):
        arriving = best[:, np.newaxis] + log_transition
        came_from[t] = np.argmax(arriving, axis=0)
        best = np.max(arriving, axis=0) + log_emission[t]
    if np.max(best) == -np.inf:
        raise ValueError("no path explains these frames")
    path = [np.argmax(best)]
    for t in range(len(log_emission) - 1, 0, -1):
        path.append(came_from[t, path[-1]])
    return np.array(path), float(np.max(best))
