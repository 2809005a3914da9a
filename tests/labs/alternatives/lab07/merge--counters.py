"""Counts by Counter, callers from a heap."""

import heapq
from collections import Counter


def merge(one, other):
    counts = Counter(one["buckets"])
    counts.update(other["buckets"])
    merged = {"buckets": dict(counts)}
    for name in ("count", "total", "squares"):
        merged[name] = sum(some[name] for some in (one, other))
    for name, choose in (("smallest", min), ("largest", max)):
        ends = {one[name], other[name]} - {None}
        merged[name] = choose(ends) if ends else None
    merged["callers"] = heapq.nsmallest(KEPT, set(one["callers"] + other["callers"]))  # noqa: F821 (of the lab)
    return merged
