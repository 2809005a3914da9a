"""States along the first axis, and the walk back over a list of arrays."""

import numpy as np


def viterbi(log_emission, log_initial, log_transition):
    emission = np.array(log_emission, dtype=float)
    if emission.shape[0] < 1:
        raise ValueError("expected frames")
    into = np.transpose(log_transition)
    delta, pointers = np.add(log_initial, emission[0]), []
    for frame in emission[1:]:
        options = into + delta
        pointers.append(options.argmax(axis=1))
        delta = options.max(axis=1) + frame
    state = int(delta.argmax())
    log_prob = delta[state]
    if np.isneginf(log_prob):
        raise ValueError("all paths are impossible")
    path = [state]
    for pointer in reversed(pointers):
        state = int(pointer[state])
        path.insert(0, state)
    return np.asarray(path), log_prob
