"""All ways of editing are tried, again and again."""

# fails: does_not_try_all_ways

import numpy as np


def word_error_rate(references, hypotheses):
    if len(references) != len(hypotheses) or not references:
        raise ValueError("expected a hypothesis for each reference")

    def edits(said, heard):
        if not said or not heard:
            return len(said) + len(heard)
        if said[0] == heard[0]:
            return edits(said[1:], heard[1:])
        return 1 + min(edits(said[1:], heard[1:]), edits(said[1:], heard), edits(said, heard[1:]))

    pairs = [(said.split(), heard.split()) for said, heard in zip(references, hypotheses, strict=True)]
    errors, n_words = sum(edits(*pair) for pair in pairs), sum(len(said) for said, _ in pairs)
    if n_words == 0:
        return np.inf if errors else 0.0
    return errors / n_words
