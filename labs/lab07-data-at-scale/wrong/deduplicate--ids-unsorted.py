"""The ids of a group stand in the order in which they came."""

# fails: names_groups_by_digests

# ruff: noqa: F821 (the other names are those of the lab)

import hashlib
from collections import defaultdict


def deduplicate(records):
    copies = defaultdict(list)
    for record in records:
        digest = hashlib.sha256(" ".join(words(record["text"])).encode()).hexdigest()
        copies[digest].append(record)
    kept = [min(some, key=lambda one: (-len(one["text"]), one["id"])) for some in copies.values()]
    return {
        "kept": sorted(kept, key=lambda one: one["id"]),
        "groups": {digest: list(dict.fromkeys(one["id"] for one in some)) for digest, some in copies.items()},
    }
