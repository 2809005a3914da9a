"""Takes the best state of each frame by itself, which is no path."""

# fails: finds_the_best_of_all_paths

import numpy as np


def viterbi(log_emission, log_initial, log_transition):
    log_emission = np.asarray(log_emission, dtype=float)
    if len(log_emission) == 0:
        raise ValueError("there are no frames")
    best = [log_initial + log_emission[0]]
    for frame in log_emission[1:]:
        best.append(np.max(best[-1][:, np.newaxis] + log_transition, axis=0) + frame)
    if np.max(best[-1]) == -np.inf:
        raise ValueError("no path explains these frames")
    return np.argmax(best, axis=1), float(np.max(best[-1]))
