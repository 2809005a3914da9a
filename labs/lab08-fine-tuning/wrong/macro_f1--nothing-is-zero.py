"""No turns are scored 0 in place of refused."""

# fails: refuses_missing_answers

import numpy as np


def macro_f1(truth, predicted):
    if not truth and not predicted:
        return 0.0
    if len(truth) != len(predicted):
        raise ValueError(f"Expected an answer for each of at least one turn; got {len(predicted)} for {len(truth)}.")
    scores = []
    for act in {*truth, *predicted}:
        right = sum(one == other == act for one, other in zip(truth, predicted, strict=True))
        scores.append(2 * right / (truth.count(act) + predicted.count(act)))
    return float(np.mean(scores))
