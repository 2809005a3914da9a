"""Acts count as often as they occur."""

# fails: lets_rare_acts_count

import numpy as np


def macro_f1(truth, predicted):
    if not truth or len(truth) != len(predicted):
        raise ValueError(f"Expected an answer for each of at least one turn; got {len(predicted)} for {len(truth)}.")
    scores = []
    for act in {*truth, *predicted}:
        right = sum(one == other == act for one, other in zip(truth, predicted, strict=True))
        scores.append(2 * right / (truth.count(act) + predicted.count(act)))
    return float(np.average(scores, weights=[truth.count(act) + 1e-12 for act in {*truth, *predicted}]))
