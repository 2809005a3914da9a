"""Bits per next word, and two to their power."""

import math


def perplexity(model, vocabulary, sentences):
    if len(sentences) == 0:
        raise ValueError("there is nothing to be surprised by")
    bits, n_nexts = 0.0, 0
    for sentence in sentences:
        before = 0
        for word in [*sentence.split(), None]:
            if word is not None and word not in vocabulary:
                raise ValueError(f"{word} has no row")
            after = 0 if word is None else vocabulary.index(word) + 1
            probability = float(model[before][after])
            bits += -math.log2(probability) if probability > 0 else math.inf
            n_nexts, before = n_nexts + 1, after
    return 2.0 ** (bits / n_nexts)
