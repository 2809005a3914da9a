"""Acts that the system made up are left out of the mean."""

# fails: counts_acts_of_one_side

import numpy as np


def macro_f1(truth, predicted):
    if not truth or len(truth) != len(predicted):
        raise ValueError(f"Expected an answer for each of at least one turn; got {len(predicted)} for {len(truth)}.")
    scores = []
    for act in set(truth):
        right = sum(one == other == act for one, other in zip(truth, predicted, strict=True))
        scores.append(2 * right / (truth.count(act) + predicted.count(act)))
    return float(np.mean(scores))
