"""Viterbi's maximum in place of the sum."""

# fails: adds_up_all_paths

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
    log_alpha = np.full(len(states), -np.inf)
    log_alpha[:2] = log_probs[0, states[:2]]
    for frame in log_probs[1:]:
        padded = np.concatenate([[-np.inf, -np.inf], log_alpha])
        skipped = np.where(may_skip, padded[:-2], -np.inf)
        log_alpha = np.maximum(np.maximum(log_alpha, padded[1:-1]), skipped) + frame[states]
    return float(np.max(log_alpha[-2:]))
