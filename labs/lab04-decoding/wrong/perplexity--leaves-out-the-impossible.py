"""Next words with probability 0 are left out of the mean."""

# fails: is_infinite_where_a_word_is_impossible

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
    chosen = [one for one in chosen if one > 0]
    return float(np.exp(-np.mean(np.log(chosen))))
