"""Returns the number of the best model, not the word."""

# fails: hears_the_order_of_sounds

# ruff: noqa: F821 (the other functions are those of the lab)

import numpy as np


def recognise(frames, lengths, words, unknown, unknown_lengths):
    if len(lengths) == 0 or len(words) != len(lengths):
        raise ValueError("words and recordings differ in number, or there are none")
    if np.sum(lengths) != len(frames) or np.sum(unknown_lengths) != len(unknown):
        raise ValueError("the lengths do not add up")
    if frames.shape[1] != unknown.shape[1]:
        raise ValueError("the numbers of features differ")
    recordings = np.split(frames, np.cumsum(lengths))[:-1]
    models = {}
    for word in sorted(set(words)):
        own = [one for one, said in zip(recordings, words, strict=True) if said == word]
        n_states = min(6, *map(len, own))
        parts = [np.concatenate(part) for part in zip(*(np.array_split(x, n_states) for x in own), strict=True)]
        log_initial, log_transition = left_to_right(n_states)
        means = np.array([part.mean(axis=0) for part in parts])
        variances = np.maximum([part.var(axis=0) for part in parts], VARIANCE_FLOOR)
        for _ in range(5):
            means, variances, log_transition, _ = em_step(*joined(own), means, variances, log_transition)
        models[word] = means, variances, log_initial, log_transition

    def score(one, word):
        means, variances, *chain = models[word]
        return viterbi(log_gaussian(one, means, variances), *chain)[1]

    asked = np.split(unknown, np.cumsum(unknown_lengths))[:-1]
    return [int(np.argmax([score(one, word) for word in models])) for one in asked]
