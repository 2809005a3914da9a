"""Alpha begins with the first frame, also where there is none."""

# fails: has_no_slope_without_frames

# ruff: noqa: F821 (the other names are those of the lab)

import numpy as np


def ctc_gradient(logits, target):
    log_probs = log_softmax(logits)
    loss = -ctc_log_likelihood(log_probs, target)
    if loss == np.inf:
        return loss, np.zeros(log_probs.shape)
    states = with_blanks(target)

    def forward_scores(emission, states):
        may_skip = np.zeros(len(states), dtype=bool)
        may_skip[3::2] = states[3::2] != states[1:-2:2]
        log_alpha = np.full(emission.shape, -np.inf)
        log_alpha[0, :2] = emission[0, :2]
        for t in range(1, len(emission)):
            padded = np.concatenate([[-np.inf, -np.inf], log_alpha[t - 1]])
            skipped = np.where(may_skip, padded[:-2], -np.inf)
            ways = np.logaddexp(np.logaddexp(log_alpha[t - 1], padded[1:-1]), skipped)
            log_alpha[t] = ways + emission[t]
        return log_alpha

    emission = log_probs[:, states]
    ahead = forward_scores(emission, states)
    behind = forward_scores(emission[::-1, ::-1], states[::-1])[::-1, ::-1]  # with the frame itself
    shares = np.exp(ahead + behind - emission + loss)
    gradient = np.exp(log_probs)
    for state, symbol in enumerate(states):
        gradient[:, symbol] -= shares[:, state]
    return loss, gradient
