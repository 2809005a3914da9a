"""The rate of each recording is taken, then their mean."""

# fails: adds_up_over_recordings

import numpy as np


def word_error_rate(references, hypotheses):
    if len(references) != len(hypotheses) or not references:
        raise ValueError("expected a hypothesis for each reference")
    rates, errors, n_words = [], 0, 0
    for reference, hypothesis in zip(references, hypotheses, strict=True):
        said, heard = reference.split(), hypothesis.split()
        row = list(range(len(heard) + 1))
        for number, word in enumerate(said, start=1):
            above, row = row, [number]
            for place, other in enumerate(heard, start=1):
                row.append(min(above[place - 1] + (word != other), above[place] + 1, row[-1] + 1))
        errors, n_words = errors + row[-1], n_words + len(said)
        rates += [row[-1] / len(said)] if said else []
    if n_words == 0:
        return np.inf if errors else 0.0
    return sum(rates) / len(rates)
