"""A table of edits for each recording, filled with NumPy's minimum."""

import numpy as np


def word_error_rate(references, hypotheses):
    if not len(references) or len(references) != len(hypotheses):
        raise ValueError("one hypothesis for each reference is wanted")
    errors = words = 0
    for said, heard in zip(map(str.split, references), map(str.split, hypotheses), strict=True):
        table = np.zeros((len(said) + 1, len(heard) + 1), dtype=int)
        table[:, 0], table[0] = np.arange(len(said) + 1), np.arange(len(heard) + 1)
        for i, word in enumerate(said):
            for j, other in enumerate(heard):
                table[i + 1, j + 1] = min(table[i, j] + (word != other), table[i, j + 1] + 1, table[i + 1, j] + 1)
        errors += int(table[-1, -1])
        words += len(said)
    if words:
        return errors / words
    return float("inf") if errors else 0.0
