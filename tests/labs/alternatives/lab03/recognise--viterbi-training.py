"""No EM: frames are cut along the best path and counted again, and scores are full likelihoods."""

# ruff: noqa: F821 (the other functions are those of the lab)

import numpy as np


def recognise(frames, lengths, words, unknown, unknown_lengths):
    if len(lengths) == 0 or len(lengths) != len(words):
        raise ValueError("every recording for training needs its word")
    if sum(lengths) != len(frames) or sum(unknown_lengths) != len(unknown):
        raise ValueError("lengths and frames do not fit together")
    if frames.shape[1:] != unknown.shape[1:]:
        raise ValueError("the features are not the same")

    def cut(array, sizes):
        ends = np.cumsum(sizes, dtype=int)
        return [array[end - size : end] for end, size in zip(ends, sizes, strict=True)]

    def model_of(examples):
        n_states = min(5, min(len(one) for one in examples))
        chain = left_to_right(n_states)
        paths = [np.arange(len(one)) * n_states // len(one) for one in examples]
        pooled = np.concatenate(examples)
        for _ in range(3):
            owner = np.concatenate(paths)
            groups = [pooled[owner == state] for state in range(n_states)]
            groups = [group if len(group) else pooled for group in groups]
            means = np.array([group.mean(axis=0) for group in groups])
            variances = np.array([np.maximum(group.var(axis=0), VARIANCE_FLOOR) for group in groups])
            paths = [viterbi(log_gaussian(one, means, variances), *chain)[0] for one in examples]
        return means, variances, chain

    def likelihood(one, model):
        means, variances, chain = model
        return log_sum_exp(forward(log_gaussian(one, means, variances), *chain)[-1])

    by_word = {}
    for one, word in zip(cut(frames, lengths), words, strict=True):
        by_word.setdefault(word, []).append(one)
    models = {word: model_of(examples) for word, examples in by_word.items()}
    return [max(models, key=lambda word: likelihood(one, models[word])) for one in cut(unknown, unknown_lengths)]
