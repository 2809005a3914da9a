"""Any number of samples has a percentile."""

# fails: asks_for_ten_beyond

# ruff: noqa: F821 (the other names are those of the lab)

import numpy as np


def choose(variants, limits, percentile, objective):
    if not variants or not 1 <= percentile <= 99:
        raise ValueError(f"Expected variants and a percentile from 1 to 99; got {len(variants)} and {percentile}.")
    if any(one["logits"].shape != variants[0]["logits"].shape for one in variants):
        raise ValueError("Expected logits of one shape.")
    wanted, reasons, choice = log_softmax(variants[0]["logits"]), {}, None
    for one in variants:
        found, n = log_softmax(one["logits"]), len(one["latencies"])
        kl = np.mean(np.sum(np.exp(wanted) * (wanted - found), axis=-1))
        top1 = np.mean(found.argmax(axis=-1) == wanted.argmax(axis=-1))
        place = -(-percentile * n // 100)
        if not (kl <= limits["kl"] and top1 >= limits["top1"]):
            reason = "parity"
        elif n == 0:
            reason = "samples"
        else:
            reason = "slow" if np.sort(one["latencies"])[place - 1] > objective else ""
        reasons[one["name"]] = reason
        if not reason and (choice is None or one["cost"] < choice["cost"]):
            choice = one
    return {"choice": choice and choice["name"], "reasons": reasons}
