"""Words that are not in the vocabulary are left out without a word."""

# fails: refuses_other_words

import numpy as np


def bigram_model(sentences, vocabulary):
    if not vocabulary or len(set(vocabulary)) != len(vocabulary):
        raise ValueError("expected different words")
    place = {word: number + 1 for number, word in enumerate(vocabulary)}
    counts = np.zeros((len(vocabulary) + 1,) * 2)
    for sentence in sentences:
        numbers = [0, *(place[word] for word in sentence.split() if word in place), 0]
        for before, after in zip(numbers, numbers[1:], strict=False):
            counts[before, after] += 1
    single = (counts.sum(axis=0) + 1) / (counts.sum() + len(vocabulary) + 1)
    followers = np.count_nonzero(counts, axis=1)[:, np.newaxis]
    total = counts.sum(axis=1, keepdims=True)
    shared = (counts + followers * single) / np.maximum(total + followers, 1)
    return np.where(total > 0, shared, single)
