"""Products of probabilities, whose logarithm is taken at the end: 0 after some hundred frames."""

# fails: stands_long_recordings

# ruff: noqa: F821 (the other names are those of the lab)

import numpy as np


def ctc_log_likelihood(log_probs, target):
    log_probs = np.asarray(log_probs, dtype=float)
    if log_probs.ndim != 2:
        raise ValueError(f"Expected (n_frames, n_symbols); got {log_probs.shape}.")
    if any(not BLANK < label < log_probs.shape[1] for label in target):
        raise ValueError(f"Expected labels from 1 to {log_probs.shape[1] - 1}; got {target}.")
    if len(log_probs) == 0:
        return -np.inf if len(target) else 0.0
    states = with_blanks(target)
    may_skip = np.zeros(len(states), dtype=bool)
    may_skip[3::2] = states[3::2] != states[1:-2:2]
    alpha = np.zeros(len(states))
    alpha[:2] = np.exp(log_probs[0, states[:2]])
    for frame in log_probs[1:]:
        padded = np.concatenate([[0, 0], alpha])
        skipped = np.where(may_skip, padded[:-2], 0)
        alpha = (alpha + padded[1:-1] + skipped) * np.exp(frame[states])
    with np.errstate(divide="ignore"):
        return float(np.log(alpha[-2:].sum()))
