"""Of equally long texts the largest id stays."""

# fails: order_decides_nothing

# ruff: noqa: F821 (the other names are those of the lab)

import hashlib
from collections import defaultdict


def deduplicate(records):
    copies = defaultdict(list)
    for record in records:
        digest = hashlib.sha256(" ".join(words(record["text"])).encode()).hexdigest()
        copies[digest].append(record)
    kept = [max(some, key=lambda one: (len(one["text"]), one["id"])) for some in copies.values()]
    return {
        "kept": sorted(kept, key=lambda one: one["id"]),
        "groups": {digest: sorted({one["id"] for one in some}) for digest, some in copies.items()},
    }
