"""Multiplies probabilities, which are all 0 after some hundred frames."""

# fails: decodes_long_recordings

import numpy as np


def viterbi(log_emission, log_initial, log_transition):
    emission, transition = np.exp(log_emission), np.exp(log_transition)
    if len(emission) == 0:
        raise ValueError("there are no frames")
    best = np.exp(log_initial) * emission[0]
    came_from = np.zeros(emission.shape, dtype=int)
    for t in range(1, len(emission)):
        arriving = best[:, np.newaxis] * transition
        came_from[t] = np.argmax(arriving, axis=0)
        best = np.max(arriving, axis=0) * emission[t]
    if np.max(best) == 0:
        raise ValueError("no path explains these frames")
    path = [np.argmax(best)]
    for t in range(len(emission) - 1, 0, -1):
        path.append(came_from[t, path[-1]])
    return np.array(path[::-1]), float(np.log(np.max(best)))
