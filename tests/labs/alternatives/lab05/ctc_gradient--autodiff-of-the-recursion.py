"""The chain rule backwards through the forward recursion, step by step, as a library would do it."""

# ruff: noqa: F821 (the other names are those of the lab)

import numpy as np


def ctc_gradient(logits, target):
    log_probs = log_softmax(logits)
    loss = -ctc_log_likelihood(log_probs, target)
    if len(log_probs) == 0 or loss == np.inf:
        return loss, np.zeros(log_probs.shape)
    states = with_blanks(target)
    n_states = len(states)
    steps = np.eye(n_states) + np.eye(n_states, k=1)
    for s in range(1, n_states - 2, 2):
        steps[s, s + 2] = states[s] != states[s + 2]
    with np.errstate(divide="ignore"):
        steps = np.log(steps)
    rows, shares = [], []
    for t, frame in enumerate(log_probs):
        if t == 0:
            total = np.where(np.arange(n_states) < 2, 0.0, -np.inf)
        else:
            arriving = rows[-1][:, np.newaxis] + steps
            total = np.logaddexp.reduce(arriving, axis=0)
            shares.append(np.exp(arriving - np.where(total > -np.inf, total, 0)))
        rows.append(total + frame[states])
    ends = np.where(np.arange(n_states) >= n_states - 2, rows[-1], -np.inf)
    towards = np.exp(ends + loss)
    by_state = [towards]
    for share in shares[::-1]:
        towards = share @ towards
        by_state.append(towards)
    owner = np.eye(log_probs.shape[1])[states]
    return loss, np.exp(log_probs) - np.array(by_state[::-1]) @ owner
