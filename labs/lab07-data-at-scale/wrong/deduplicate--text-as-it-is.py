"""Case and punctuation make another text."""

# fails: finds_copies

import hashlib
from collections import defaultdict


def deduplicate(records):
    copies = defaultdict(list)
    for record in records:
        digest = hashlib.sha256(record["text"].encode()).hexdigest()
        copies[digest].append(record)
    kept = [min(some, key=lambda one: (-len(one["text"]), one["id"])) for some in copies.values()]
    return {
        "kept": sorted(kept, key=lambda one: one["id"]),
        "groups": {digest: sorted({one["id"] for one in some}) for digest, some in copies.items()},
    }
