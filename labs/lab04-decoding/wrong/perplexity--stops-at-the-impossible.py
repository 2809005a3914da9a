"""The first next word with probability 0 ends the reading, so that an unknown word behind it is never seen."""

# fails: refuses_what_has_no_perplexity

import numpy as np


def perplexity(model, vocabulary, sentences):
    if not sentences:
        raise ValueError("expected sentences")
    place = {word: number + 1 for number, word in enumerate(vocabulary)}
    logs = []
    for sentence in sentences:
        before = 0
        for word in [*sentence.split(), None]:
            if word is not None and word not in place:
                raise ValueError(f"{word} is not in the vocabulary")
            after = 0 if word is None else place[word]
            if model[before, after] == 0:
                return np.inf
            logs.append(np.log(model[before, after]))
            before = after
    return float(np.exp(-np.mean(logs)))
