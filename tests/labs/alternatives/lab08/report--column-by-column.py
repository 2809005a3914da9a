"""The columns first, then the rows from them."""

# ruff: noqa: F821 (the other names are those of the lab)

import numpy as np


def report(truth, calls, predictions, baseline, seed):
    if baseline not in predictions:
        raise ValueError(f"{baseline} is no system")
    for name in predictions:
        if len(predictions[name]) != len(truth):
            raise ValueError(f"{name} has not one act for each turn")
    systems = list(predictions)
    right = np.array([[a == b for a, b in zip(truth, predictions[name], strict=True)] for name in systems], dtype=float)
    base = right[systems.index(baseline)]
    risk = 0.05 / (len(systems) - 1) if len(systems) > 1 else 0.05
    table = []
    for name, scores in zip(systems, right, strict=True):
        row = dict(system=name, accuracy=scores.mean(), macro_f1=macro_f1(truth, predictions[name]))
        if name == baseline:
            row.update(difference=0, low=0, high=0, verdict="baseline")
        else:
            row["difference"], row["low"], row["high"] = paired_interval(base, scores, calls, seed, 1 - risk)
            row["verdict"] = "not shown"
            if row["low"] > 0:
                row["verdict"] = "better"
            elif row["high"] < 0:
                row["verdict"] = "worse"
        table.append(row)
    return table
