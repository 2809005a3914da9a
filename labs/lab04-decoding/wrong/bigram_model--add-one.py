"""One is added to every count, instead of sharing out what the different next words say."""

# fails: agrees_with_fractions

import numpy as np


def bigram_model(sentences, vocabulary):
    if not vocabulary or len(set(vocabulary)) != len(vocabulary):
        raise ValueError("expected different words")
    place = {word: number + 1 for number, word in enumerate(vocabulary)}
    counts = np.zeros((len(vocabulary) + 1,) * 2)
    for sentence in sentences:
        if set(sentence.split()) - set(place):
            raise ValueError("a word is not in the vocabulary")
        numbers = [0, *(place[word] for word in sentence.split()), 0]
        for before, after in zip(numbers, numbers[1:], strict=False):
            counts[before, after] += 1
    single = (counts.sum(axis=0) + 1) / (counts.sum() + len(vocabulary) + 1)
    total = counts.sum(axis=1, keepdims=True)
    shared = (counts + 1) / (total + len(vocabulary) + 1)
    return np.where(total > 0, shared, single)
