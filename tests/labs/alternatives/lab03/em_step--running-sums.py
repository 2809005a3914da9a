"""Sufficient statistics that grow with each recording, as hmmlearn keeps them."""

# ruff: noqa: F821 (the other functions are those of the lab)

import numpy as np


def em_step(frames, lengths, means, variances, log_transition):
    lengths = np.asarray(lengths, dtype=int)
    if lengths.size == 0 or (lengths < 1).any() or lengths.sum() != len(frames):
        raise ValueError("lengths and frames do not fit together")
    n_states, n_features = means.shape
    log_initial = log_of(np.arange(n_states) == 0)
    weight, first, second = np.zeros((n_states, 1)), np.zeros((n_states, n_features)), np.zeros((n_states, n_features))
    counts, log_likelihood = np.zeros((n_states, n_states)), 0.0
    ends = np.cumsum(lengths)
    for begin, end in zip(ends - lengths, ends, strict=True):
        part = frames[begin:end]
        emission = log_gaussian(part, means, variances)
        gamma, steps = posteriors(emission, log_initial, log_transition)
        weight += gamma.sum(axis=0)[:, np.newaxis]
        first += gamma.T @ part
        second += gamma.T @ part**2
        counts += steps
        log_likelihood += np.logaddexp.reduce(forward(emission, log_initial, log_transition)[-1])
    reached, left = weight[:, 0] > 0, counts.sum(axis=1) > 0
    means, variances, log_transition = np.array(means), np.array(variances), np.array(log_transition)
    means[reached] = first[reached] / weight[reached]
    variances[reached] = np.maximum(second[reached] / weight[reached] - means[reached] ** 2, VARIANCE_FLOOR)
    log_transition[left] = log_of(counts[left] / counts[left].sum(axis=1, keepdims=True))
    return means, variances, log_transition, log_likelihood
