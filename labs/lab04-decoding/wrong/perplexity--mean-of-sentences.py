"""The perplexity of each sentence is taken, then their mean."""

# fails: agrees_with_exact_logs

import numpy as np


def perplexity(model, vocabulary, sentences):
    if not sentences:
        raise ValueError("expected sentences")
    place = {word: number + 1 for number, word in enumerate(vocabulary)}
    each = []
    for sentence in sentences:
        if set(sentence.split()) - set(place):
            raise ValueError("a word is not in the vocabulary")
        numbers = [0, *(place[word] for word in sentence.split()), 0]
        chosen = [model[before, after] for before, after in zip(numbers, numbers[1:], strict=False)]
        each.append(np.inf if min(chosen) == 0 else np.exp(-np.mean(np.log(chosen))))
    return float(np.mean(each))
