"""All turns together: that is accuracy."""

# fails: lets_rare_acts_count

import numpy as np


def macro_f1(truth, predicted):
    if not truth or len(truth) != len(predicted):
        raise ValueError("Expected an answer for each of at least one turn.")
    return float(np.mean([one == other for one, other in zip(truth, predicted, strict=True)]))
