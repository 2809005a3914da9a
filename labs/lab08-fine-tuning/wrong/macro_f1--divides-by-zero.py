"""An act without hits has precision 0 / 0."""

# fails: counts_acts_of_one_side

import numpy as np


def macro_f1(truth, predicted):
    if not truth or len(truth) != len(predicted):
        raise ValueError("Expected an answer for each of at least one turn.")
    scores = []
    for act in {*truth, *predicted}:
        right = sum(one == other == act for one, other in zip(truth, predicted, strict=True))
        precision, recall = right / predicted.count(act), right / truth.count(act)
        scores.append(2 * precision * recall / (precision + recall))
    return float(np.mean(scores))
