"""At the factor nobody is paged."""

# fails: pages_at_the_factor

# ruff: noqa: F821 (the other names are those of the lab)

import numpy as np


def first_page(total, failed, budget, expected, rules):
    total, failed = np.asarray(total), np.asarray(failed)
    if total.shape != failed.shape or np.any(failed < 0) or np.any(failed > total):
        raise ValueError("Expected as many numbers of failed requests as of requests, from 0 to these.")
    if not (0 < budget < 1 and expected > 0 and len(rules) > 0):
        raise ValueError(f"Expected a budget between 0 and 1, requests and rules; got {budget}, {expected}, {rules}.")
    if not all(long >= short >= 1 and factor > 0 for long, short, factor in rules):
        raise ValueError(f"Expected rules of a long and a short window and a factor above 0; got {rules}.")
    came, lost = (np.concatenate([[0], np.cumsum(one)]) for one in (total, failed))

    def burn(minute, window):
        start = max(0, minute + 1 - window)
        requests = came[minute + 1] - came[start]
        return (lost[minute + 1] - lost[start]) / requests / budget if requests else 0.0

    for minute in range(len(total)):
        for rule, (long, short, factor) in enumerate(rules):
            if min(burn(minute, long), burn(minute, short)) > factor + TINY:
                return {"minute": minute, "rule": rule, "spent": float(lost[minute + 1] / (budget * expected))}
    return {"minute": None, "rule": None, "spent": float(lost[-1] / (budget * expected))}
