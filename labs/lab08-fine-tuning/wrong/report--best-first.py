"""The rows are sorted by accuracy."""

# fails: takes_the_baseline_anywhere

# ruff: noqa: F821 (the other names are those of the lab)

import numpy as np


def report(truth, calls, predictions, baseline, seed):
    if baseline not in predictions:
        raise ValueError(f"Expected the baseline among {sorted(predictions)}; got {baseline!r}.")
    if any(len(acts) != len(truth) for acts in predictions.values()):
        raise ValueError(f"Expected {len(truth)} acts of each system.")
    right = {
        name: np.array([act == said for act, said in zip(truth, acts, strict=True)], dtype=float)
        for name, acts in predictions.items()
    }
    level = 1 - 0.05 / max(1, len(predictions) - 1)
    rows = []
    for name, acts in predictions.items():
        difference, low, high, verdict = 0.0, 0.0, 0.0, "baseline"
        if name != baseline:
            difference, low, high = paired_interval(right[baseline], right[name], calls, seed, level)
            verdict = "better" if low > 0 else "worse" if high < 0 else "not shown"
        row = {"system": name, "accuracy": float(right[name].mean()), "macro_f1": macro_f1(truth, acts)}
        rows.append({**row, "difference": difference, "low": low, "high": high, "verdict": verdict})
    return sorted(rows, key=lambda row: -row["accuracy"])
