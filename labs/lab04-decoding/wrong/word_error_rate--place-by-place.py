"""Words are compared place by place: after one deletion everything is wrong."""

# fails: counts_the_least_edits

import numpy as np


def word_error_rate(references, hypotheses):
    if len(references) != len(hypotheses) or not references:
        raise ValueError("expected a hypothesis for each reference")
    errors = n_words = 0
    for reference, hypothesis in zip(references, hypotheses, strict=True):
        said, heard = reference.split(), hypothesis.split()
        errors += sum(a != b for a, b in zip(said, heard, strict=False)) + abs(len(said) - len(heard))
        n_words += len(said)
    if n_words == 0:
        return np.inf if errors else 0.0
    return errors / n_words
