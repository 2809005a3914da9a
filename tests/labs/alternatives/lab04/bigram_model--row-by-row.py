"""Dictionaries of counts, one row of the table after the other."""

from collections import Counter

import numpy as np


def bigram_model(sentences, vocabulary):
    words = [None, *vocabulary]
    if len(words) == 1 or len(set(words)) < len(words):
        raise ValueError("expected a vocabulary of different words")
    pairs = Counter()
    for sentence in sentences:
        said = sentence.split()
        for word in said:
            if word not in vocabulary:
                raise ValueError(f"{word} is not in the vocabulary")
        pairs.update(zip([None, *said], [*said, None], strict=True))
    nexts = Counter()
    for (_, after), count in pairs.items():
        nexts[after] += count
    single = {word: (nexts[word] + 1) / (nexts.total() + len(words)) for word in words}
    rows = []
    for before in words:
        counts = {word: pairs[before, word] for word in words}
        total, kinds = sum(counts.values()), sum(count > 0 for count in counts.values())
        keep = total / (total + kinds) if total else 0.0
        rows.append([keep * counts[word] / max(total, 1) + (1 - keep) * single[word] for word in words])
    return np.array(rows)
