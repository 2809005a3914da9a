"""A table of truth against prediction, and the acts' F1 at once."""

import numpy as np


def macro_f1(truth, predicted):
    if len(truth) != len(predicted):
        raise ValueError("both lists have to be of one length")
    if len(truth) == 0:
        raise ValueError("there is nothing to score")
    acts, numbers = np.unique([*truth, *predicted], return_inverse=True)
    table = np.zeros((len(acts), len(acts)))
    np.add.at(table, (numbers[: len(truth)], numbers[len(truth) :]), 1)
    return np.mean(2 * np.diag(table) / (table.sum(axis=0) + table.sum(axis=1)))
