"""One filter after the other, and the cheapest by a key of cost and place."""

# ruff: noqa: F821 (the other names are those of the lab)

import numpy as np


def choose(variants, limits, percentile, objective):
    if not variants:
        raise ValueError("nothing to choose from")
    if percentile < 1 or percentile > 99:
        raise ValueError("a percentile lies between 1 and 99")
    if len({one["logits"].shape for one in variants}) > 1:
        raise ValueError("logits of several shapes")
    wanted = variants[0]["logits"]
    reasons = {}
    for one in variants:
        reasons[one["name"]] = (
            "parity"
            if not alike(wanted, one["logits"], limits)
            else latency_reason(np.sort(one["latencies"]), percentile, objective)
        )
    left = [(one["cost"], place) for place, one in enumerate(variants) if reasons[one["name"]] == ""]
    return {"choice": variants[min(left)[1]]["name"] if left else None, "reasons": reasons}


def alike(wanted, found, limits):
    if not np.isfinite(wanted).all() or not np.isfinite(found).all():
        return False
    p, q = log_softmax(wanted), log_softmax(found)
    divergence = np.einsum("rv,rv->r", np.exp(p), p - q).mean()
    return divergence <= limits["kl"] and (p.argmax(1) == q.argmax(1)).mean() >= limits["top1"]


def latency_reason(ordered, percentile, objective):
    n = len(ordered)
    place = (percentile * n + 99) // 100
    if n - place < 10:
        return "samples"
    return "slow" if ordered[place - 1] > objective else ""
