"""The harmonic mean of mean precision and mean recall."""

# fails: is_the_mean_of_the_acts

import numpy as np


def macro_f1(truth, predicted):
    if not truth or len(truth) != len(predicted):
        raise ValueError("Expected an answer for each of at least one turn.")
    acts = {*truth, *predicted}
    right = {act: sum(one == other == act for one, other in zip(truth, predicted, strict=True)) for act in acts}
    precision = np.mean([right[act] / max(1, predicted.count(act)) for act in acts])
    recall = np.mean([right[act] / max(1, truth.count(act)) for act in acts])
    return float(2 * precision * recall / (precision + recall)) if precision + recall else 0.0
