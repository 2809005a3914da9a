"""Two loops, over frames and over states, and a sum over whatever may come before."""

import numpy as np


def ctc_log_likelihood(log_probs, target):
    log_probs = np.array(log_probs, dtype=float)
    if log_probs.ndim != 2 or not set(target) <= set(range(1, log_probs.shape[1])):
        raise ValueError("a recording's log probabilities and labels among its symbols are needed")
    states = [0, *(symbol for label in target for symbol in (label, 0))]
    scores = [0.0, *([-np.inf] * (len(states) - 1))]
    for t, frame in enumerate(log_probs):
        after = []
        for s, symbol in enumerate(states):
            if t == 0:
                after.append(frame[symbol] if s < 2 else -np.inf)
                continue
            before = scores[max(0, s - 1) : s + 1]
            if s > 1 and symbol != 0 and symbol != states[s - 2]:
                before = [*before, scores[s - 2]]
            after.append(np.logaddexp.reduce(before) + frame[symbol])
        scores = after
    if len(log_probs) == 0:
        return scores[0] if not target else -np.inf
    return float(np.logaddexp.reduce(scores[-2:]))
