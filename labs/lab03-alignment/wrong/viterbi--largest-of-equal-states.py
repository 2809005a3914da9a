"""Of equally good states the last one wins."""

# fails: keeps_the_order_of_equal_paths

import numpy as np


def viterbi(log_emission, log_initial, log_transition):
    log_emission = np.asarray(log_emission, dtype=float)
    if len(log_emission) == 0:
        raise ValueError("there are no frames")
    best = log_initial + log_emission[0]
    came_from = np.zeros(log_emission.shape, dtype=int)
    for t in range(1, len(log_emission)):
        arriving = best[:, np.newaxis] + log_transition
        came_from[t] = len(best) - 1 - np.argmax(arriving[::-1], axis=0)
        best = np.max(arriving, axis=0) + log_emission[t]
    if np.max(best) == -np.inf:
        raise ValueError("no path explains these frames")
    path = [len(best) - 1 - np.argmax(best[::-1])]
    for t in range(len(log_emission) - 1, 0, -1):
        path.append(came_from[t, path[-1]])
    return np.array(path[::-1]), float(np.max(best))
