"""A sentence without words is skipped, although it ends where it starts."""

# fails: counts_empty_sentences

import numpy as np


def bigram_model(sentences, vocabulary):
    if not vocabulary or len(set(vocabulary)) != len(vocabulary):
        raise ValueError("expected different words")
    place = {word: number + 1 for number, word in enumerate(vocabulary)}
    counts = np.zeros((len(vocabulary) + 1,) * 2)
    for sentence in sentences:
        if set(sentence.split()) - set(place):
            raise ValueError("a word is not in the vocabulary")
        if not sentence.split():
            continue
        numbers = [0, *(place[word] for word in sentence.split()), 0]
        for before, after in zip(numbers, numbers[1:], strict=False):
            counts[before, after] += 1
    single = (counts.sum(axis=0) + 1) / (counts.sum() + len(vocabulary) + 1)
    followers = np.count_nonzero(counts, axis=1)[:, np.newaxis]
    total = counts.sum(axis=1, keepdims=True)
    shared = (counts + followers * single) / np.maximum(total + followers, 1)
    return np.where(total > 0, shared, single)
