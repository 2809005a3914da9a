"""Machines are kept for hours to come."""

# fails: keeps_machines

# ruff: noqa: F821 (the other names are those of the lab)

import math


def autoscale(loads, target, headroom, cold, keep, least, minutes):
    if len(loads) == 0 or not all(0 <= load < math.inf for load in loads):
        raise ValueError(f"Expected loads of 0 or more; got {loads}.")
    if not (0 < target <= 1 and headroom >= 0 and cold >= 0 and keep >= 0 and least >= 1 and minutes > 0):
        raise ValueError(f"Out of range: {target=}, {headroom=}, {cold=}, {keep=}, {least=} or {minutes=}.")
    places = range(len(loads))
    wanted = [max(least, math.ceil(load * (1 + headroom) / target - TINY)) for load in loads]
    paid = [max(wanted[k : k + keep + 1]) for k in places]
    ready = [min(paid[max(0, k - cold) : k + 1]) for k in places]
    hours = minutes / 60
    return {
        "wanted": wanted,
        "paid": paid,
        "ready": ready,
        "short": [k for k in places if loads[k] >= ready[k]],
        "hours": float(sum(paid) * hours),
        "fixed": float(max(wanted) * len(wanted) * hours),
        "utilisation": float(sum(loads) / sum(paid)),
    }
