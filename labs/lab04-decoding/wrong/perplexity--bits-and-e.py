"""Logarithms to the base 2 go with powers of e."""

# fails: agrees_with_exact_logs

import numpy as np


def perplexity(model, vocabulary, sentences):
    if not sentences:
        raise ValueError("expected sentences")
    place = {word: number + 1 for number, word in enumerate(vocabulary)}
    chosen = []
    for sentence in sentences:
        if set(sentence.split()) - set(place):
            raise ValueError("a word is not in the vocabulary")
        numbers = [0, *(place[word] for word in sentence.split()), 0]
        chosen += [model[before, after] for before, after in zip(numbers, numbers[1:], strict=False)]
    if min(chosen) == 0:
        return np.inf
    return float(np.exp(-np.mean(np.log2(chosen))))
